{{/* Everyone who has a certificate: the services and the edge, as a YAML list. Takes the root. */}}
{{- define "souk.identities" -}}
{{- append (keys (include "souk.registry" . | fromYaml).services | sortAlpha) "edge" | toYaml -}}
{{- end -}}
