// npm install stytch
import stytch from "stytch";

const { STYTCH_PROJECT_ID: project_id, STYTCH_PROJECT_SECRET: secret, STYTCH_BASE_URL } = process.env;
const { m2m } = new stytch.Client({ project_id, secret, env: STYTCH_BASE_URL + "/" });
const { m2m_client: client } = await m2m.clients.create({ client_name: "from Node", scopes: ["read:users"] });
const { client_id, client_secret } = client;
const { access_token } = await m2m.token({ client_id, client_secret, scopes: ["read:users"] });
const claims = await m2m.authenticateToken({ access_token, required_scopes: ["read:users"] });
console.log(claims.client_id === client_id, claims.scopes);
