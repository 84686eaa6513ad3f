// Package todo is what people keep in taskapi.
//
// # Glossary
//
//   - Task: one thing to do, owned by one user. Open until it is completed.
//   - Due: when a task is due, a day, a local time, or a moment (a local time in a
//     zone). Start: when it begins, in the same form. Dates: both.
//   - Wall: what a wall clock shows, kept as if it were UTC.
//   - Recurrence: how a task repeats, a subset of the RRULE of RFC 5545.
//   - Version: the number of a task's last change. Match: the versions that a change
//     may be done to.
package todo
