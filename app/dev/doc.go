// Package dev is what only a developer's server has: a clock that can be set and run faster,
// troubles that can be ordered, mails that are kept instead of sent, and people with tasks that
// look real. All of it is made from a seed, so that a test finds the same each time.
//
// # Glossary
//
//   - Trouble: what happens to one request on purpose. Fault: an order that makes trouble for some
//     or all of the requests of a route until it is removed.
//   - Drop: an end of the connection without an answer, before or after the work was done.
//   - Mailbox: the mails that would have been sent.
package dev
