// Package outbox is what leaves taskapi: the kinds of mail, their states, and how
// many a mailbox or a user may cause; and the browsers that are pushed to. Packages
// mailer and push send.
//
// # Glossary
//
//   - Mail: one message to one address. Outbox: the mails kept in the database,
//     queued, sent or dead (given up after too many tries).
//   - Notice: a mail that tells the owner of an account what was done to it.
//   - Subscription: a browser that shows reminders. Push: one reminder on its way there,
//     through the browser's push service, which finds it by the subscription's endpoint.
//   - Postage: the limit on the mails that one mailbox gets, or one user causes.
package outbox
