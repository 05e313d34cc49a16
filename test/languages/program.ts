import createClient from "openapi-fetch";
import type { paths } from "./generated/stytch.js";

const { STYTCH_BASE_URL: baseUrl = "https://test.stytch.com", STYTCH_PROJECT_ID: project_id = "", STYTCH_PROJECT_SECRET: secret = "" } = process.env;
const stytch = createClient<paths>({ baseUrl });
const headers = { Authorization: "Basic " + btoa(`${project_id}:${secret}`) }; // the token endpoint does not take it

const created = await stytch.POST("/v1/m2m/clients", { headers, body: { client_name: "billing", scopes: ["read:users"] } });
if (!created.data) throw new Error(`${created.error.error_type} (${created.error.request_id})`);
const { client_id } = created.data.m2m_client;

const operands = [{ filter_name: "client_id" as const, filter_value: [client_id] }];
const found = await stytch.POST("/v1/m2m/clients/search", { headers, body: { query: { operator: "AND", operands } } });

const params = { path: { client_id } };
const started = await stytch.POST("/v1/m2m/clients/{client_id}/secrets/rotate/start", { headers, params, body: {} });
if (!started.data) throw new Error(`${started.error.error_type} (${started.error.request_id})`);
const token = await stytch.POST("/v1/public/{project_id}/oauth2/token", {
  params: { path: { project_id } },
  body: { grant_type: "client_credentials", client_id, client_secret: started.data.m2m_client.next_client_secret },
});
const end = token.data ? "/v1/m2m/clients/{client_id}/secrets/rotate" : "/v1/m2m/clients/{client_id}/secrets/rotate/cancel";
const ended = await stytch.POST(end, { headers, params, body: {} });
console.log(found.data?.m2m_clients.length, token.response.status, ended.data?.m2m_client.client_secret_last_four);
