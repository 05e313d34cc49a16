package proxy_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Services without an SDK: each sends a request with an Authorization of its own, one with a body
// of unknown length, and one that is refused, and reads a stream.
const (
	pythonService = `
import http.client, json, os
address = os.environ["PROXY"]
def send(method, path, body=None, headers={}):
    connection = http.client.HTTPConnection(address)
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    return [response.status, response.read().decode()]
stream = http.client.HTTPConnection(address)
stream.request("GET", "/stream")
lines = [line.decode().strip() for line in stream.getresponse()]
print(json.dumps([
    send("GET", "/get", headers={"Authorization": "Bearer mine"}),
    send("POST", "/post", iter([b"two ", b"pieces"])),
    [lines.count("data: 1"), ""],
    [send("GET", "/../admin")[0], ""],
]))`

	nodeService = `
const http = require("node:http")
const base = "http://" + process.env.PROXY
async function send(path, options) {
  const response = await fetch(base + path, options)
  return [response.status, await response.text()]
}
const pieces = new ReadableStream({start(c) { for (const p of ["two ", "pieces"]) c.enqueue(new TextEncoder().encode(p)); c.close() }})
async function main() {
  const lines = (await send("/stream"))[1].split("\n")
  console.log(JSON.stringify([
    await send("/get", {headers: {Authorization: "Bearer mine"}}),
    await send("/post", {method: "POST", body: pieces, duplex: "half"}),
    [lines.filter(line => line === "data: 1").length, ""],
    await new Promise(done => http.get(base, {path: "/../admin"}, r => { r.resume(); done([r.statusCode, ""]) })),
  ]))
}
main()`
)

func TestLanguages(t *testing.T) {
	for _, test := range []struct{ name, program, flag, service string }{
		{"Python", "python3", "-c", pythonService},
		{"Node", "node", "-e", nodeService},
	} {
		t.Run(test.name, func(t *testing.T) {
			program, err := exec.LookPath(test.program)
			if err != nil {
				t.Skipf("%s is not installed: install it to run a %s service through the proxy", test.program, test.name)
			}
			upstream := &api{scope: "write:invoices", next: answerService}
			f := start(t, upstream.serve, nil)
			upstream.trust(f)
			cmd := exec.CommandContext(t.Context(), program, test.flag, test.service)
			cmd.Env = append(os.Environ(), "PROXY="+f.Addr().String())
			var stderr strings.Builder
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v: %s", err, stderr.String())
			}
			var got [][2]any
			if err := json.Unmarshal(out, &got); err != nil {
				t.Fatalf("%q: %v", out, err)
			}
			if want := "[[200 GET /get ] [200 POST /post two pieces] [3 ] [400 ]]"; fmt.Sprint(got) != want {
				t.Errorf("%v, want %s", got, want)
			}
		})
	}
}

// answerService is the API that the services use.
func answerService(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/stream" {
		w.Header().Set("Content-Type", "text/event-stream")
		for range 3 {
			fmt.Fprint(w, "data: 1\n\n")
			_ = http.NewResponseController(w).Flush()
		}
		return
	}
	body, _ := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%s %s %s", r.Method, r.URL.Path, body)
}
