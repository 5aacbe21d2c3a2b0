package roster

// By says who reads or changes what is personal, and what for. Every function
// of the store that gives such a thing out asks for it, and writes it down.
type By struct {
	Actor string // person id, or the part of the system
	For   Purpose
}

// Purpose is what somebody reads or changes personal things for. The set is
// closed.
type Purpose string

// Purposes.
const (
	ForDelivery Purpose = "delivery" // a message goes to its recipient
	ForAnswer   Purpose = "answer"   // somebody answers, or is asked who she is
	ForPage     Purpose = "page"     // somebody looks at a home's page
	ForImport   Purpose = "import"
	ForExport   Purpose = "export"
	ForDiff     Purpose = "diff"
	ForCheck    Purpose = "check"
	ForReport   Purpose = "report" // an incident is shown as it was reported
	ForConsent  Purpose = "consent"
	ForErasure  Purpose = "erasure"
)
