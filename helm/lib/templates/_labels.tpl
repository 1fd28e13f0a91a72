{{/* What never changes about a workload, so that Deployments and policies may select by it.
     Takes (dict "root" $ "component" "order" "role" "serve"); the role may be left out. */}}
{{- define "lib.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- with .role }}
souk.dev/role: {{ . }}
{{- end }}
{{- end -}}

{{/* All labels. Takes what "lib.selector" takes. */}}
{{- define "lib.labels" -}}
{{ include "lib.selector" . }}
app.kubernetes.io/part-of: souk
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Those of pods: without versions, which would replace every pod whenever the chart changes. Takes what "lib.selector" takes. */}}
{{- define "lib.podLabels" -}}
{{ include "lib.selector" . }}
app.kubernetes.io/part-of: souk
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}
