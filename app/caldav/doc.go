// Package caldav is the door for calendar clients: CalDAV (RFC 4791) with WebDAV (RFC 4918), its
// access control as far as clients ask for it (RFC 3744), and WebDAV Sync (RFC 6578), over the use
// cases of app/todo. It speaks net/http's shapes; app/api lets requests in, checks who sends them
// and reads their bodies.
//
//	/dav/                               where clients begin
//	/dav/principals/{user id}/          the person
//	/dav/lists/                         their calendar home
//	/dav/lists/{list uid}/              a list: a calendar collection
//	/dav/lists/{list uid}/{name}        a task: a calendar object resource
//
// # Glossary
//
//   - Resource: what an address stands for. Kind: which of the five above.
//   - Property: something that can be asked of a resource, by its XML name.
//   - Precondition: the XML element that says why a request was refused.
//   - Filter: which objects a calendar-query is for.
package caldav
