// Package operate is what the operator of a server cares for: whether it can do
// its work, and how users, lists and tasks come in from elsewhere.
//
// # Glossary
//
//   - Health: whether the server can do its work. Check: one part of that.
//   - Import: users, lists and tasks taken from elsewhere in one transaction. Source:
//     where they come from. Skipped: said of a row of it that breaks a rule.
//   - Backup: a copy of the database as of one moment that was proved, with its
//     manifest. Snapshot: the same, made before the schema is brought forward.
package operate
