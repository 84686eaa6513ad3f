// Package replica keeps a second copy of a database in another place, a folder or a bucket of an
// S3 service: a snapshot, and after it the write-ahead log piece by piece. It knows files and HTTP,
// but no SQL: what is in a log is the business of who writes and reads it.
//
// # Glossary
//
//   - Place: where the copy is kept. Object: one file in it, written as a whole or not at all.
//   - Generation: an unbroken run of logs. A new one begins with a snapshot, whenever it is not
//     certain that the last one goes on.
//   - Index: the number of a log in its generation. SQLite begins its log anew from time to time;
//     each of these has an index of its own.
//   - Segment: a piece of a log, from one offset to another. An object holds one or several.
//   - Snapshot: all of the database at one moment, in parts. It counts once its manifest is there.
//
// # Names
//
//	generations/GENERATION/begun.json
//	generations/GENERATION/INDEX-SALT-PREVIOUS/snapshot-NEEDS-TIME/PART.gz, manifest.json
//	generations/GENERATION/INDEX-SALT-PREVIOUS/START-END-SUM-TIME.wal
//
// SALT is that of the log, PREVIOUS where the log before it ended, NEEDS the offset up to which the
// log has to be played into the snapshot, SUM the log's checksum at END. So a listing says
// what can be restored, and what is missing.
package replica
