// Package console is the web console of the local Stytch: pages under /_emulator/ that show what
// runs and change it. It is a client of two APIs in the same process, that of Stytch and the admin
// API, so that it shows what they respond with and follows their rules. Pages are rendered here and
// need no script, except for the live view of requests and for copying.
package console
