// Package destination reads where secrets go, as --secret-to and --deliver name it, and stores
// secrets that are shown once.
package destination

// Help explains the syntax of a destination, for the help of commands.
const Help = `A destination is one of:

  file:PATH                a file (mode 0600) with client_id and client_secret as JSON
  folder:DIR               the same, in DIR/<client id>.json; DIR exists and is closed
                           to other users (mode 0700)
  exec:COMMAND             a program, which reads one JSON object on stdin and exits with 0
  vault:MOUNT/PATH         a secret of a KV v2 engine, by VAULT_ADDR, VAULT_TOKEN,
                           VAULT_NAMESPACE and VAULT_CACERT; without VAULT_TOKEN the token
                           is read from VAULT_TOKEN_FILE or ~/.vault-token. A mount that has
                           a slash in its name: vault:MOUNT:PATH
  k8s:NAMESPACE/NAME[#KEY] a key (credentials.json) of a Secret, from a pod of the cluster
  aws:NAME[?region=R]      a secret of AWS Secrets Manager, by the usual AWS settings

{client_id} in PATH, NAME and KEY stands for the id of the client. COMMAND is split into
words at spaces, without a shell: quotation marks keep spaces, and nothing is expanded.
The program does not inherit STYTCH_PROJECT_SECRET and STYTCH_SECRET.`
