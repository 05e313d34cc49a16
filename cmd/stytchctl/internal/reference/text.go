package reference

// introduction is what applies to all commands.
const introduction = `## Install

` + "```sh" + `
make install                              # from a clone, into $(go env GOPATH)/bin
source <(stytchctl completion bash)       # completion, also of client ids
stytchctl man ~/.local/share/man/man1     # man pages
` + "```" + `

## Credentials

The project and its secret come from the first of these that names a project:

1. ` + "`--profile NAME`" + `
2. ` + "`STYTCH_PROJECT_ID`, with `STYTCH_PROJECT_SECRET` or `STYTCH_SECRET` (two that differ are an error), and `STYTCH_BASE_URL`" + `
3. ` + "`STYTCH_PROFILE`" + `
4. the profile in use (` + "`stytchctl profile use`" + `)

` + "`--project-id`, `--project-secret-file` and `--base-url`" + ` replace what was found. ` + "`stytchctl whoami`" + ` shows
what is used and proves it, and ` + "`stytchctl doctor`" + ` finds out why something does not work.

Profiles are in ` + "`$XDG_CONFIG_HOME/stytchctl/config.yaml`" + `, which holds no secret. The secret of a profile is in
the keyring of the operating system, or in a file that only its owner can read. A keyring that
does not answer within two seconds is an error, and on Linux it is not touched without
` + "`DBUS_SESSION_BUS_ADDRESS`" + `. There is no other place that is used instead.

## Secrets

A secret or token is never an argument: other users of the machine see the arguments of a program,
and shells store them. Every secret input is a flag whose name ends in ` + "`-file`" + `, and ` + "`-`" + ` is stdin.

A secret goes out only to the destination of ` + "`--secret-to`" + `, or to stdout with ` + "`--reveal`" + `. A command that
would show a secret once is refused without either, before its request is sent. A token is printed
by ` + "`stytchctl token get`" + `, because it is what was asked for, and by ` + "`stytchctl api`" + ` with ` + "`--reveal`" + `.

## Output

Data goes to stdout, everything else to stderr. ` + "`-o`" + ` chooses the format: ` + "`table`, `json`, `ndjson` or `tsv`" + `.
` + "`--fields`" + ` chooses and orders fields, and ` + "`--jq`" + ` applies a jq program to the JSON. Color needs a terminal, and
` + "`NO_COLOR`" + ` turns it off. With JSON, with ` + "`--no-input`" + ` or without a terminal nothing is asked: the command
fails with exit code 2 and names the flag that answers.

`

const failures = `
With ` + "`-o json`" + `, an error is one line of JSON on stderr:

` + "```json" + `
{"error":{"class":"not_found","type":"m2m_client_not_found","status":404,"request_id":"…","message":"…"}}
` + "```" + `

A refusal that comes before the request ends with "Nothing was sent." or similar words.

`
