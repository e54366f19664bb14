{{- define "kco.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "kco.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- $name := include "kco.name" . }}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* What selects the operator's pods; never changes during an installation's life. */}}
{{- define "kco.selectorLabels" -}}
app.kubernetes.io/name: {{ include "kco.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{/* Labels of everything; the argument is a dict of root and component. */}}
{{- define "kco.labelsOf" -}}
app.kubernetes.io/name: {{ include "kco.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: kco
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "kco.labels" -}}
{{- include "kco.labelsOf" (dict "root" . "component" "operator") }}
{{- end }}

{{- define "kco.devServerLabels" -}}
app.kubernetes.io/name: {{ include "kco.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: temporal-dev-server
{{- end }}

{{- define "kco.devServerName" -}}
{{ include "kco.fullname" . }}-temporal
{{- end }}

{{- define "kco.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "kco.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "kco.image" -}}
{{- with .Values.image }}
{{- if .digest }}
{{- printf "%s@%s" .repository .digest }}
{{- else }}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "kco.temporalAddress" -}}
{{- if .Values.temporal.address }}
{{- .Values.temporal.address }}
{{- else if .Values.temporal.devServer.enabled }}
{{- printf "%s.%s.svc:7233" (include "kco.devServerName" .) .Release.Namespace }}
{{- else -}}
temporal-frontend.temporal.svc:7233
{{- end }}
{{- end }}

{{/* A number of `config`, which may be a text, or what the operator takes without it. The argument is a list of root, name and default. */}}
{{- define "kco.number" -}}
{{- $given := get (index . 0).Values.config (index . 1) -}}
{{ int (ternary (index . 2) $given (eq (toString $given) "")) }}
{{- end }}

{{- define "kco.metricsPort" -}}
{{ include "kco.number" (list . "KCO_METRICS_PORT" 8080) }}
{{- end }}

{{- define "kco.healthPort" -}}
{{ include "kco.number" (list . "KCO_HEALTH_PORT" 8081) }}
{{- end }}

{{/* Variables that `config` does not take, and what is to be done instead. */}}
{{- define "kco.ownersOfVariables" -}}
KCO_ENABLED_ACTIONS: set actions.<action>.enabled=true
KCO_LEADER_ELECTION: set leaderElection.enabled
KCO_PATCH_KINDS: set actions.patch_resource.kinds
KCO_TEMPORAL_ADDRESS: set temporal.address
KCO_TEMPORAL_API_KEY: set temporal.apiKey.secretName
KCO_TEMPORAL_API_KEY_FILE: set temporal.apiKey.secretName
KCO_TEMPORAL_NAMESPACE: set temporal.namespace
KCO_TEMPORAL_TASK_QUEUE: set temporal.taskQueue
KCO_TEMPORAL_TLS_CA_FILE: set temporal.tls.ca.secretName
KCO_TEMPORAL_TLS_CERT_FILE: set temporal.tls.client.secretName
KCO_TEMPORAL_TLS_ENABLED: set temporal.tls.enabled
KCO_TEMPORAL_TLS_KEY_FILE: set temporal.tls.client.secretName
KCO_TEMPORAL_TLS_SERVER_NAME: set temporal.tls.serverName
KCO_TEMPORAL_WEB_URL: set temporal.webUrl
KCO_WATCH_NAMESPACES: set watchNamespaces
KUBECONFIG: the operator uses its ServiceAccount; set serviceAccount.name for another one
POD_NAME: the chart sets it from the pod
POD_NAMESPACE: the chart sets it from the pod
{{- end }}

{{/* How many pods there are when there are few. */}}
{{- define "kco.fewestReplicas" -}}
{{ int (ternary .Values.autoscaling.minReplicas .Values.replicaCount .Values.autoscaling.enabled) }}
{{- end }}

{{- define "kco.enabledActions" -}}
{{- $enabled := list }}
{{- range $name, $action := .Values.actions }}
{{- if $action.enabled }}{{ $enabled = append $enabled $name }}{{ end }}
{{- end }}
{{- $enabled | join "," | default "none" }}
{{- end }}

{{/* Exactly what the operator calls: first what it always does, then what each action that is on does. */}}
{{- define "kco.rules" -}}
{{- $actions := .Values.actions -}}
{{- range .Files.Get "files/kinds.json" | fromJsonArray }}
- apiGroups: [{{ .group }}]
  resources: [{{ .plural }}]
  verbs: [get, list, watch]
- apiGroups: [{{ .group }}]
  resources: [{{ .plural }}/status]
  verbs: [patch]
{{- range .owns }}
# Made for it by server-side apply, which asks for the right to create.
- apiGroups: [{{ .group | quote }}]
  resources: [{{ .plural }}]
  verbs: [create, get, list, patch, watch]
{{- end }}
{{- end }}
# Server-side apply of an Event that is not there yet asks for the right to create it.
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
{{- if or $actions.restart_pod.enabled $actions.scale_deployment.enabled $actions.exec_command.enabled }}
# The pod is looked at again right before something is done to it or to its owner.
- apiGroups: [""]
  resources: [pods]
  verbs: [get]
{{- end }}
{{- if $actions.restart_pod.enabled }}
- apiGroups: [""]
  resources: [pods]
  verbs: [delete]
- apiGroups: [""]
  resources: [pods/eviction]
  verbs: [create]
# Whether somebody would create the pod again, and whether another one of them is on its way.
- apiGroups: [""]
  resources: [replicationcontrollers]
  verbs: [get]
- apiGroups: [apps]
  resources: [daemonsets, deployments, replicasets, statefulsets]
  verbs: [get]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get]
# To say which ones keep a pod from being evicted for good.
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [list]
{{- end }}
{{- if $actions.scale_deployment.enabled }}
- apiGroups: [apps]
  resources: [deployments, replicasets, statefulsets]
  verbs: [get]
# To refuse what an autoscaler would undo.
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [list]
- apiGroups: [apps]
  resources: [deployments/scale, statefulsets/scale]
  verbs: [get, patch]
{{- end }}
{{- if $actions.exec_command.enabled }}
# A WebSocket starts as a GET; newer API servers ask for create as well.
- apiGroups: [""]
  resources: [pods/exec]
  verbs: [create, get]
{{- end }}
{{- if $actions.patch_resource.enabled }}
{{- range $actions.patch_resource.resources }}
- apiGroups: {{ toJson .apiGroups }}
  resources: {{ toJson .resources }}
  {{- with .resourceNames }}
  resourceNames: {{ toJson . }}
  {{- end }}
  verbs: [patch]
{{- if $actions.patch_resource.create }}
- apiGroups: {{ toJson .apiGroups }}
  resources: {{ toJson .resources }}
  verbs: [create]
{{- end }}
{{- end }}
{{- end }}
{{- end }}
