// Package webhook tells the receivers of webhooks of what changes, over HTTP, and dials what
// may be dialled only.
//
//   - Guard: which addresses may be dialled.
//   - Sender: makes one try, signed.
//   - Dispatcher: follows the log of changes for each webhook, and makes the tries.
//
// Each user with active webhooks has an account in the dispatcher, a goroutine that reads what
// is new for all of them at once when the hub wakes it; each webhook that has something to tell
// has a goroutine for as long as that lasts, so that the events of a webhook are told one after
// the other. How far each has come is in memory, and is written together about once a second.
package webhook
