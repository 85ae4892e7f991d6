/** Remembers the segment and the campaign made last, so that the examples run in turn with nothing copied. */

const KEY = "campaign-engine.ids";
const NOUNS = ["segment", "campaign"];

/** Notes the ids in the payload of one field of a reply. */
export function remember(payload) {
  const ids = known();
  for (const noun of NOUNS) {
    const id = payload?.[noun]?.id;
    if (id) ids[`${noun}Id`] = id;
  }
  sessionStorage.setItem(KEY, JSON.stringify(ids));
}

/** The request with `$segmentId` and `$campaignId` filled in where they are required and were left out. */
export function fillIn(parameters, document) {
  const ids = known();
  const variables = { ...parameters.variables };
  for (const { type, variable } of definitions(document, parameters.operationName)) {
    const name = variable.name.value;
    if (type.kind === "NonNullType" && !variables[name] && ids[name]) variables[name] = ids[name];
  }
  return { ...parameters, variables };
}

function definitions(document, operationName) {
  const operations = document?.definitions.filter(({ kind }) => kind === "OperationDefinition") ?? [];
  const operation = operations.find(({ name }) => !operationName || name?.value === operationName);
  return operation?.variableDefinitions ?? [];
}

function known() {
  return JSON.parse(sessionStorage.getItem(KEY)) ?? {};
}
