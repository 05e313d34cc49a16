using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;

var env = (string name) => Environment.GetEnvironmentVariable(name);
var basic = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{env("STYTCH_PROJECT_ID")}:{env("STYTCH_PROJECT_SECRET")}"));
using var http = new HttpClient { BaseAddress = new Uri(env("STYTCH_BASE_URL")!) };
http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", basic);
var response = await http.PostAsJsonAsync("/v1/m2m/clients", new { client_name = "from .NET", scopes = new[] { "read:users" } });
Console.WriteLine((int)response.StatusCode);
