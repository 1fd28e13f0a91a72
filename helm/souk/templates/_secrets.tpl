{{/* The name of a Secret. Takes (dict "root" $ "secret" "order-database"). */}}
{{- define "souk.secretName" -}}
{{- default (include "lib.name" (dict "root" .root "part" .secret)) (get .root.Values.secrets.existing .secret) -}}
{{- end -}}

{{/* The secrets that a service reads, as a YAML list of {name, key, variable}: by what the registry says it stores and talks to,
     and by what the values say besides. Takes (dict "root" $ "component" "order" "spec" $spec). */}}
{{- define "souk.serviceSecrets" -}}
{{- $values := .root.Values -}}
{{- $upper := upper (replace "-" "_" .component) -}}
- {name: mesh, key: mesh_key, variable: MESH_KEY_FILE}
{{- if has "postgres" .spec.stores }}
- {name: {{ .component }}-database, key: url, variable: {{ $upper }}_DATABASE_URL_FILE}
{{- end }}
{{- if has "redis" .spec.stores }}
- {name: redis, key: url, variable: REDIS_URL_FILE}
{{- end }}
{{- if include "souk.onKafka" . }}
{{- include "souk.kafkaSecrets" . }}
{{- end }}
{{- range .spec.outside }}
{{- with (get $values.outside .).secrets }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- if and $values.administrator.email (eq .component $values.administrator.service) }}
- {name: admin, key: password, variable: ADMIN_PASSWORD_FILE}
{{- end }}
{{- with (default dict (get $values.services .component)).secrets }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The user at the brokers of a service, or of the hook that makes topics. Takes (dict "root" $ "component" "order"). */}}
{{- define "souk.kafkaSecrets" -}}
{{- if hasPrefix "SCRAM" .root.Values.kafka.saslMechanism }}
{{- range list "username" "password" }}
- {name: {{ $.component }}-kafka, key: {{ . }}, variable: KAFKA_{{ upper . }}_FILE}
{{- end }}
{{- end }}
{{- end -}}

{{/* Variables that name files of secrets. Takes (dict "secrets" $list). */}}
{{- define "souk.secretVariables" -}}
{{- range .secrets }}
{{ .variable }}: /secrets/{{ .name }}{{ with .key }}/{{ . }}{{ end }}
{{- end }}
{{- end -}}

{{/* Where secrets are mounted. Takes (dict "secrets" $list). */}}
{{- define "souk.secretMounts" -}}
{{- $seen := dict -}}
{{- range .secrets }}
{{- if not (hasKey $seen .name) }}
{{- $_ := set $seen .name true }}
- {name: secret-{{ .name }}, mountPath: /secrets/{{ .name }}, readOnly: true}
{{- end }}
{{- end }}
{{- end -}}

{{/* Their volumes. Takes (dict "root" $ "secrets" $list). */}}
{{- define "souk.secretVolumes" -}}
{{- $seen := dict -}}
{{- range .secrets }}
{{- if not (hasKey $seen .name) }}
{{- $_ := set $seen .name true }}
- name: secret-{{ .name }}
  secret: {secretName: {{ include "souk.secretName" (dict "root" $.root "secret" .name) }}, defaultMode: 0440}
{{- end }}
{{- end }}
{{- end -}}

{{/* Takes (dict "root" $ "secret" "order-database"), and "hook" for one that only a hook reads. */}}
{{- define "souk.externalSecret" -}}
{{- $external := .root.Values.secrets.externalSecrets -}}
{{- $name := include "souk.secretName" . -}}
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata:
  name: {{ $name }}
  labels:
    {{- include "lib.labels" (dict "root" .root "component" "secrets") | nindent 4 }}
  {{- with .hook }}
  annotations:
    {{- include "souk.hook" . | nindent 4 }}
  {{- end }}
spec:
  refreshInterval: {{ $external.refreshInterval }}
  secretStoreRef: {name: {{ $external.store.name }}, kind: {{ $external.store.kind }}}
  target: {name: {{ $name }}, creationPolicy: Owner}
  dataFrom:
    - extract: {key: {{ default (printf "%s/%s" $external.path .secret) (get $external.keys .secret) }}}
{{- end -}}
