{{/* In: the contract's callers on the serve side, Prometheus on both. Out: what the registry says that the service talks to. */}}
{{- define "souk.service.networkPolicy" -}}
{{- $values := .root.Values -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "lib.workload" . }}
  labels:
    {{- include "lib.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- include "lib.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    {{- if and (eq .role "serve") .spec.callers }}
    - from:
        {{- range $caller, $_ := .spec.callers }}
        - {{ include "lib.peer" (dict "root" $.root "component" $caller) | nindent 10 | trim }}
        {{- end }}
      ports:
        {{- include "souk.mesh.ports" (dict "root" .root "port" .spec.port) | nindent 8 }}
    {{- end }}
    - from:
        - namespaceSelector:
            matchLabels:
              {{- toYaml $values.metrics.namespaceLabels | nindent 14 }}
      ports:
        - {port: {{ .spec.metricsPort }}, protocol: TCP}
  egress:
    {{- include "lib.dnsEgress" .root | trim | nindent 4 }}
    {{- range .spec.calls }}
    - to:
        - {{ include "lib.peer" (dict "root" $.root "component" . "role" "serve") | nindent 10 | trim }}
      ports:
        {{- include "souk.mesh.ports" (dict "root" $.root "port" (get $.registry.services .).port) | nindent 8 }}
    {{- end }}
    {{- if and (eq .role "work") (include "souk.onKafka" .) }}
    {{- include "souk.kafkaEgress" .root | trim | nindent 4 }}
    {{- end }}
    {{- if has "postgres" .spec.stores }}
    {{- include "souk.postgresEgress" .root | trim | nindent 4 }}
    {{- end }}
    {{- if has "redis" .spec.stores }}
    {{- include "souk.redisEgress" .root | trim | nindent 4 }}
    {{- end }}
    {{- range .spec.outside }}
    {{- include "souk.outsideEgress" (dict "root" $.root "name" .) | trim | nindent 4 }}
    {{- end }}
    {{- if $values.tracing.endpoint }}
    {{- include "lib.egress" $values.tracing.egress | trim | nindent 4 }}
    {{- end }}
    {{- if include "souk.hasRole" . }}
    {{- include "lib.egress" $values.networkPolicy.podIdentity | trim | nindent 4 }}
    {{- end }}
    {{- with include "souk.mesh.egress" .root }}
    {{- . | trim | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* Whether a workload asks the agent of EKS Pod Identity for credentials: it signs in at the brokers by its role, sends by SNS, keeps images
in S3, or searches in a cluster of AWS. */}}
{{- define "souk.hasRole" -}}
{{- $brokers := and (eq .role "work") (include "souk.onKafka" .) (eq .root.Values.kafka.saslMechanism "AWS_MSK_IAM") -}}
{{- $engine := and (has "opensearch" .spec.outside) .root.Values.outside.opensearch.environment.SEARCH_OPENSEARCH_AWS_REGION -}}
{{- if or $brokers $engine (has "sns" .spec.outside) (has "s3" .spec.outside) }}true{{ end -}}
{{- end -}}

{{/* Where the systems are that the mesh uses: inside the release when it brings them, else where the values say. */}}
{{- define "souk.kafkaEgress" -}}
{{- if .Values.development.enabled }}
{{- include "souk.development.egress" (dict "root" . "component" "kafka" "port" 9092) }}
{{- else }}
{{- include "lib.egress" .Values.kafka.egress }}
{{- end }}
{{- end -}}
{{- define "souk.postgresEgress" -}}
{{- if .Values.development.enabled }}
{{- include "souk.development.egress" (dict "root" . "component" "postgres" "port" 5432) }}
{{- else }}
{{- include "lib.egress" .Values.postgres.egress }}
{{- end }}
{{- end -}}
{{- define "souk.redisEgress" -}}
{{- if .Values.development.enabled }}
{{- include "souk.development.egress" (dict "root" . "component" "redis" "port" 6379) }}
{{- else }}
{{- include "lib.egress" .Values.redis.egress }}
{{- end }}
{{- end -}}
{{/* Takes (dict "root" $ "name" "provider"). */}}
{{- define "souk.outsideEgress" -}}
{{- $simulator := get (dict "provider" (dict "component" "provider" "port" 8090) "carrier" (dict "component" "carrier" "port" 8091) "smtp" (dict "component" "mail" "port" 2525)) .name -}}
{{- if and .root.Values.development.enabled $simulator }}
{{- include "souk.development.egress" (merge (dict "root" .root) $simulator) }}
{{- else }}
{{- include "lib.egress" (get .root.Values.outside .name).egress }}
{{- end }}
{{- end -}}
{{- define "souk.development.egress" -}}
- to:
    - {{ include "lib.peer" . | nindent 6 | trim }}
  ports:
    - {port: {{ .port }}, protocol: TCP}
{{- end -}}
