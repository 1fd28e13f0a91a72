{{/* Everyone who has a certificate: the services and the edge, as a YAML list. Takes the root. */}}
{{- define "souk.identities" -}}
{{- append (keys (include "souk.registry" . | fromYaml).services | sortAlpha) "edge" | toYaml -}}
{{- end -}}

{{/* What whoever writes certificates may do. Names cannot be demanded of what does not exist yet. Takes the root. */}}
{{- define "souk.certificates.rules" -}}
- apiGroups: [""]
  resources: [secrets]
  verbs: [create]
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, update, patch]
  resourceNames:
    - {{ include "lib.name" (dict "root" . "part" "mesh-ca") }}
    {{- range include "souk.identities" . | fromYamlArray }}
    - {{ include "lib.name" (dict "root" $ "part" (printf "%s-tls" .)) }}
    {{- end }}
{{- end -}}

{{/* What it is told, as a YAML list. Takes the root. */}}
{{- define "souk.certificates.arguments" -}}
- --namespace
- {{ .Release.Namespace }}
- --secret-prefix
- {{ include "lib.fullname" . }}-
- --cluster-domain
- {{ .Values.clusterDomain }}
{{- end -}}
