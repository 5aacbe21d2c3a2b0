//go:build !unix

package chaos

import (
	"errors"
	"os"
)

// terminate is refused where there is no such thing; the process is then killed.
var terminate = os.Interrupt

// suspend cannot be done here.
func suspend(*os.Process, bool) error { return errors.ErrUnsupported }
