// Package ical reads and writes the text of iCalendar objects (RFC 5545), and keeps what it
// does not understand: each line stays as it was written, with its folds, its case and the end
// of the line, until it is replaced. A text that was read and not changed is written out byte
// for byte. A parser that keeps only the values, such as github.com/emersion/go-ical, can't
// promise that.
//
// # Glossary
//
//   - Component: what stands between BEGIN and END: properties, and other components.
//   - Property: one content line, with a name, parameters and a value. Raw: its text, which may
//     be folded into several lines.
package ical
