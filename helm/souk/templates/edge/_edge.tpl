{{/* What Envoy's entry point is told; it generates the configuration from the contract. Takes (dict "root" $ "registry" $registry). */}}
{{- define "souk.edge.environment" -}}
{{- $edge := .root.Values.edge -}}
EDGE_LISTEN: 0.0.0.0:8080
EDGE_CONCURRENCY: {{ $edge.concurrency | quote }}
# A comma alone is a list of none: no browser of another origin may call.
EDGE_ALLOWED_ORIGINS: {{ join "," $edge.allowedOrigins | default "," | quote }}
EDGE_MAX_REQUEST_BYTES: {{ int64 $edge.maxRequestBytes | quote }}
EDGE_RATE_LIMIT_FACTOR: {{ $edge.rateLimitFactor | quote }}
EDGE_TRUSTED_HOPS: {{ $edge.trustedHops | quote }}
{{ include "souk.sharedEnvironment" .root }}
{{- include "souk.addresses" (dict "root" .root "registry" .registry "names" (keys .registry.services | sortAlpha)) }}
{{- end -}}

{{/* The full names of the gRPC services that have methods for people, as a YAML list. Takes the registry. */}}
{{- define "souk.edge.services" -}}
{{- $names := list -}}
{{- range $_, $spec := .services -}}
{{- range (get $spec.callers "edge") -}}
{{- $names = append $names (index (splitList "/" .) 1) -}}
{{- end -}}
{{- end -}}
{{- $names | uniq | sortAlpha | toYaml -}}
{{- end -}}

{{/* Leave to call the edge. Takes the root. */}}
{{- define "souk.edgeEgress" -}}
- to:
    - {{ include "lib.peer" (dict "root" . "component" "edge") | nindent 6 | trim }}
  ports:
    - {port: 8080, protocol: TCP}
{{- end -}}
