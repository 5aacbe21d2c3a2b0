package store

import "context"

// Setting is a value that the site has made for itself. Where it has none yet
// it is what first says, and stays so: processes that start together agree on one.
func (db *DB) Setting(ctx context.Context, name string, first func() string) (value string, err error) {
	err = db.update(ctx, func(t *tx) error {
		sealed, err := db.seal("settings.value", name, first())
		if err != nil {
			return err
		}
		if _, err := t.exec(`INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`, name, sealed); err != nil {
			return err
		}
		rows, err := t.query(`SELECT value FROM settings WHERE name = ?`, name)
		all, err := collect(rows, err, scanText)
		if err != nil {
			return err
		}
		value, err = db.unseal("settings.value", name, all[0])
		return err
	})
	return value, wrap("read setting "+name, err)
}
