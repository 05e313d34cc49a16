// What the types of the contract refuse. The compiler fails if it accepts one of these.
import type { components, operations, paths } from "./generated/stytch.js";

type Schemas = components["schemas"];
type Answer<Operation extends keyof operations> = operations[Operation]["responses"][200 & keyof operations[Operation]["responses"]];

// @ts-expect-error: scopes are required
export const scopes: Schemas["CreateM2MClientRequest"] = { client_name: "billing" };

// @ts-expect-error: there is no such field
export const field: Schemas["UpdateM2MClientRequest"] = { client_secret: "of-nobody" };

// @ts-expect-error: there is no such status
export const status: Schemas["UpdateM2MClientRequest"] = { status: "paused" };

// @ts-expect-error: an app is one of four types
export const kind: Schemas["CreateConnectedAppRequest"] = { client_type: "second_party" };

// @ts-expect-error: metadata cannot be searched
export const filter: Schemas["M2MSearchOperand"] = { filter_name: "trusted_metadata", filter_value: [] };

// @ts-expect-error: null is a value of its own, and a creation does not take it
export const name: Schemas["CreateM2MClientRequest"] = { client_name: null, scopes: [] };

// @ts-expect-error: clients are changed with PUT
export const method: NonNullable<paths["/v1/m2m/clients/{client_id}"]["patch"]> = {};

// @ts-expect-error: only the answer to a creation holds the secret
export const secret = (client: Schemas["M2MClient"]) => client.client_secret;

// What they accept: the three states of a field of an update, and a search that names no limit.
export const updates: Schemas["UpdateM2MClientRequest"][] = [{}, { client_name: "" }, { client_name: null }, { status: null }];
export const search: Schemas["SearchM2MClientsRequest"] = {};
export const app: Schemas["CreateConnectedAppRequest"] = { client_type: "first_party" };
export const details = (error: Schemas["Error"]): string | undefined => error.error_details && JSON.stringify(error.error_details);
export const known = (answer: Answer<"GetM2MClient">) => answer.content["application/json"].m2m_client.next_client_secret_last_four ?? null;
