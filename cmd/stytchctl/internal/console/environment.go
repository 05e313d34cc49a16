package console

import "strings"

// A variable is one line of the environment, its value as a shell reads it. That of the secret is
// empty: it is shown on demand only.
type variable struct{ Name, Value string }

// environment is what a service needs to use this server.
func (c *Console) environment() []variable {
	return []variable{{"STYTCH_PROJECT_ID", quoted(c.config.ProjectID)}, {Name: "STYTCH_PROJECT_SECRET"}, {"STYTCH_BASE_URL", quoted(c.config.Address)}}
}

func isTLS(address string) bool { return strings.HasPrefix(address, "https://") }

// A language is how a program in it uses the environment.
type language struct {
	Name  string
	Trust *variable // how it trusts the server's certificate
	Code  string
	Note  string
}

func languages(caFile string, tls bool) []language {
	trusted := quoted(caFile)
	all := []language{
		{Name: "Go", Code: goCode, Trust: &variable{"SSL_CERT_FILE", trusted}, Note: "This project's SDK reads all three variables."},
		{Name: "Node.js", Code: nodeCode, Trust: &variable{"NODE_EXTRA_CA_CERTS", trusted}, Note: "Stytch's own SDK, npm install stytch."},
		{Name: "Python", Code: pythonCode, Trust: &variable{"SSL_CERT_FILE", trusted}, Note: "The standard library."},
		{Name: "Java", Code: javaCode, Note: "Java 11 or later, the standard library. Import the authority into a trust store for https."},
		{Name: ".NET", Code: dotnetCode, Trust: &variable{"SSL_CERT_FILE", trusted}, Note: "C# with the standard library; the variable for https works on Linux."},
	}
	if !tls || caFile == "" {
		for i := range all {
			all[i].Trust = nil
		}
	}
	return all
}

const goCode = `api, err := stytch.FromEnv()
if err != nil {
	return err
}
page, err := api.M2M.SearchPage(ctx, stytch.M2MSearch{})`

const nodeCode = `import stytch from "stytch";

const api = new stytch.Client({
  project_id: process.env.STYTCH_PROJECT_ID,
  secret: process.env.STYTCH_PROJECT_SECRET,
  env: process.env.STYTCH_BASE_URL,
});
const { m2m_clients } = await api.m2m.clients.search({});`

const pythonCode = `import base64, json, os, urllib.request

pair = os.environ["STYTCH_PROJECT_ID"] + ":" + os.environ["STYTCH_PROJECT_SECRET"]
request = urllib.request.Request(
    os.environ["STYTCH_BASE_URL"] + "/v1/m2m/clients/search", data=b"{}",
    headers={"Content-Type": "application/json",
             "Authorization": "Basic " + base64.b64encode(pair.encode()).decode()})
clients = json.load(urllib.request.urlopen(request))["m2m_clients"]`

const javaCode = `var pair = System.getenv("STYTCH_PROJECT_ID") + ":" + System.getenv("STYTCH_PROJECT_SECRET");
var request = HttpRequest.newBuilder(URI.create(System.getenv("STYTCH_BASE_URL") + "/v1/m2m/clients/search"))
    .header("Authorization", "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(UTF_8)))
    .header("Content-Type", "application/json")
    .POST(HttpRequest.BodyPublishers.ofString("{}")).build();
var clients = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();`

const dotnetCode = `var pair = Environment.GetEnvironmentVariable("STYTCH_PROJECT_ID") + ":" +
    Environment.GetEnvironmentVariable("STYTCH_PROJECT_SECRET");
using var http = new HttpClient();
http.DefaultRequestHeaders.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(pair)));
var response = await http.PostAsync(
    Environment.GetEnvironmentVariable("STYTCH_BASE_URL") + "/v1/m2m/clients/search",
    new StringContent("{}", Encoding.UTF8, "application/json"));
var clients = await response.Content.ReadAsStringAsync();`
