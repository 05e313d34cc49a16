import java.net.URI;
import java.net.http.*;
import java.util.Base64;

class M2M {
  public static void main(String[] args) throws Exception {
    var env = System.getenv();
    var basic = Base64.getEncoder().encodeToString((env.get("STYTCH_PROJECT_ID") + ":" + env.get("STYTCH_PROJECT_SECRET")).getBytes());
    var request = HttpRequest.newBuilder(URI.create(env.get("STYTCH_BASE_URL") + "/v1/m2m/clients"))
        .header("Authorization", "Basic " + basic).header("Content-Type", "application/json")
        .POST(HttpRequest.BodyPublishers.ofString("{\"client_name\":\"from Java\",\"scopes\":[\"read:users\"]}")).build();
    System.out.println(HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).statusCode());
  }
}
