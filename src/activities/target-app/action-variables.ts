import { isJsonObject, type Json } from '../../domain/json.ts';
import type { ActionRequest } from '../../domain/target-app/action.ts';
import { renderTemplates } from '../../domain/template.ts';

/** What templates may mention of a firing. */
const variablesOf = (request: ActionRequest, workflowUrl: string | undefined): Record<string, Json> => ({
  action_id: request.id,
  field: request.field ?? null,
  namespace: request.namespace,
  new_value: request.newValue ?? null,
  old_value: request.oldValue ?? null,
  pod_name: request.pods[0]?.name ?? null,
  rule: request.rule,
  tapp_name: request.name,
  timestamp: new Date(request.at).toISOString(),
  workflow_url: workflowUrl ?? null,
  ...Object.fromEntries(Object.entries(request.values ?? {}).map(([path, value]) => [`state.${path}`, value])),
});

const asText = (value: Json): Json => (typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value));

/** Headers and arguments are text, whatever the type of the value that a template put there. */
function withText(parameters: Json): Json {
  if (!isJsonObject(parameters)) return parameters;
  const { headers, command } = parameters;
  return {
    ...parameters,
    ...(isJsonObject(headers) && {
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, asText(value)])),
    }),
    ...(Array.isArray(command) && { command: command.map(asText) }),
  };
}

/** Parameters with their templates filled in. */
export const rendered = (parameters: Json, request: ActionRequest, workflowUrl: string | undefined): Json =>
  withText(renderTemplates(parameters, variablesOf(request, workflowUrl)));
