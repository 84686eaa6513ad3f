// Package outbox is what leaves taskapi: the kinds of mail, their states, and how
// many a mailbox or a user may cause; the browsers that are pushed to; and webhooks, with
// what becomes of them when a receiver fails. Packages mailer, push and webhook send.
//
// # Glossary
//
//   - Mail: one message to one address. Outbox: the mails kept in the database,
//     queued, sent or dead (given up after too many tries).
//   - Notice: a mail that tells the owner of an account what was done to it.
//   - Subscription: a browser that shows reminders. Push: one reminder on its way there,
//     through the browser's push service, which finds it by the subscription's endpoint.
//   - Postage: the limit on the mails that one mailbox gets, or one user causes.
//   - Webhook: whom to tell of changes by HTTP. Receiver: the program that is told.
//     Secret: what signs, so that a receiver knows who tells. Cursor: the change that
//     was told, or given up, last.
//   - Event: one thing that happened, of a kind such as task.completed. Message: what
//     is sent of it. Attempt: one try. Delivery: how telling of one event went. Dead:
//     given up, since the receiver refused it.
package outbox
