{{/* How to reach Kafka, for services and jobs. Takes the root. */}}
{{- define "souk.kafkaEnvironment" -}}
{{- $kafka := .Values.kafka -}}
KAFKA_BOOTSTRAP: {{ tpl $kafka.bootstrap . | quote }}
KAFKA_SECURITY_PROTOCOL: {{ $kafka.securityProtocol }}
{{- with $kafka.saslMechanism }}
KAFKA_SASL_MECHANISM: {{ . }}
{{- end }}
{{- with .Values.awsRegion }}
AWS_REGION: {{ . }}
{{- end }}
{{- with $kafka.caFile }}
KAFKA_CA_FILE: /trust/{{ . }}
{{- end }}
{{- end -}}

{{/* Where services listen: `NAME_ADDR` for each of the names. Takes (dict "root" $ "registry" $registry "names" (list)). */}}
{{- define "souk.addresses" -}}
{{- range .names }}
{{ upper (replace "-" "_" .) }}_ADDR: {{ include "lib.host" (dict "root" $.root "part" .) }}:{{ (get $.registry.services .).port }}
{{- end }}
{{- end -}}

{{/* Who issues tokens and where traces go, for services and the edge. Takes the root. */}}
{{- define "souk.sharedEnvironment" -}}
TOKEN_ISSUER: {{ .Values.tokens.issuer | quote }}
TOKEN_AUDIENCE: {{ .Values.tokens.audience | quote }}
{{- with .Values.tracing.endpoint }}
OTEL_EXPORTER_OTLP_ENDPOINT: {{ . | quote }}
TRACE_RATIO: {{ $.Values.tracing.ratio | quote }}
{{- end }}
{{- if .Values.mesh.tls.enabled }}
MESH_TLS_DIR: /tls
{{- end }}
{{- end -}}

{{/* All variables of a service, none of them secret. Takes (dict "root" $ "registry" $registry "component" "order" "spec" $spec). */}}
{{- define "souk.environment" -}}
{{- $values := .root.Values -}}
{{- $upper := upper (replace "-" "_" .component) -}}
{{ $upper }}_LISTEN: 0.0.0.0:{{ .spec.port }}
METRICS_LISTEN: 0.0.0.0:{{ .spec.metricsPort }}
HEALTH_LISTEN: 0.0.0.0:50040
LOG_LEVEL: {{ $values.logLevel }}
RPC_REFLECTION: {{ $values.reflection | quote }}
{{- if has "postgres" .spec.stores }}
{{ $upper }}_DATABASE_POOL: {{ $values.postgres.pool | quote }}
{{- end }}
{{ include "souk.sharedEnvironment" .root }}
{{- if include "souk.onKafka" . }}
{{ include "souk.kafkaEnvironment" .root }}
{{- else if $values.awsRegion }}
AWS_REGION: {{ $values.awsRegion }}
{{- end }}
{{- include "souk.addresses" (dict "root" .root "registry" .registry "names" .spec.calls) }}
{{- include "souk.secretVariables" (dict "secrets" (include "souk.serviceSecrets" . | fromYamlArray)) }}
{{- if and $values.administrator.email (eq .component $values.administrator.service) }}
ADMIN_EMAIL: {{ $values.administrator.email | quote }}
{{- end }}
{{- range .spec.outside }}
{{- range $name, $value := (get $values.outside .).environment }}
{{ $name }}: {{ tpl (toString $value) $.root | quote }}
{{- end }}
{{- end }}
{{- range $name, $value := mergeOverwrite (deepCopy $values.environment) (deepCopy (default dict (default dict (get $values.services .component)).environment)) }}
{{ $name }}: {{ tpl (toString $value) $.root | quote }}
{{- end }}
{{- end -}}
