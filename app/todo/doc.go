// Package todo is what people keep in taskapi.
//
// # Glossary
//
//   - Task: one thing to do, owned by one user. Open until it is completed.
package todo
