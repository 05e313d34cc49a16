import base64, json, os
from urllib.parse import urlencode
from urllib.request import Request, urlopen

BASE, PROJECT = os.environ["STYTCH_BASE_URL"], os.environ["STYTCH_PROJECT_ID"]
BASIC = base64.b64encode(f"{PROJECT}:{os.environ['STYTCH_PROJECT_SECRET']}".encode()).decode()
def post(path, **body):
    headers = {"Content-Type": "application/json", "Authorization": f"Basic {BASIC}"}
    return json.load(urlopen(Request(BASE + path, json.dumps(body).encode(), headers)))
client = post("/v1/m2m/clients", client_name="from Python", scopes=["read:users"])["m2m_client"]
grant = {name: client[name] for name in ("client_id", "client_secret")} | {"grant_type": "client_credentials"}
token = post(f"/v1/public/{PROJECT}/oauth2/token", **grant)
asked = {name: client[name] for name in ("client_id", "client_secret")} | {"token": token["access_token"]}
answer = json.load(urlopen(Request(BASE + f"/v1/public/{PROJECT}/oauth2/introspect", urlencode(asked).encode())))
print(token["token_type"], token["expires_in"], answer["active"])
