{{/* A server of a development cluster: one pod that keeps its data. Takes (dict "root" $ "component" "redis" "image" ... "user" 999 "port" 6379
     "data" "/data" "writable" (list) "args" (list) "command" (list) "environment" (dict) "secrets" (list) "probe" (dict) "resources" (dict)). */}}
{{- define "souk.development.server" -}}
{{- $storage := .root.Values.development.storage -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "lib.workload" . }}
  labels:
    {{- include "lib.labels" . | nindent 4 }}
spec:
  clusterIP: None
  publishNotReadyAddresses: true
  selector:
    {{- include "lib.selector" . | nindent 4 }}
  ports:
    - {name: {{ .component }}, port: {{ .port }}, targetPort: {{ .component }}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ include "lib.workload" . }}
  labels:
    {{- include "lib.labels" . | nindent 4 }}
spec:
  serviceName: {{ include "lib.workload" . }}
  replicas: 1
  {{- if $storage.enabled }}
  persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete, whenScaled: Retain}
  {{- end }}
  selector:
    matchLabels:
      {{- include "lib.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "lib.podLabels" . | nindent 8 }}
    spec:
      {{- include "lib.pod" (dict "root" .root "user" .user) | nindent 6 }}
      terminationGracePeriodSeconds: 30
      containers:
        - name: {{ .component }}
          image: {{ include "lib.image" (dict "root" .root "image" .image) }}
          imagePullPolicy: {{ .root.Values.imagePullPolicy }}
          {{- with .command }}
          command: {{ toJson . }}
          {{- end }}
          {{- with .args }}
          args: {{ toJson . }}
          {{- end }}
          securityContext:
            {{- include "lib.containerSecurity" . | nindent 12 }}
          {{- if or .environment .secrets }}
          env:
            {{- range $name, $value := .environment }}
            - {name: {{ $name }}, value: {{ $value | quote }}}
            {{- end }}
            {{- range $name, $value := include "souk.secretVariables" (dict "secrets" .secrets) | fromYaml }}
            - {name: {{ $name }}, value: {{ $value }}}
            {{- end }}
          {{- end }}
          ports:
            - {name: {{ .component }}, containerPort: {{ .port }}}
          {{- range $name, $patience := dict "startup" 60 "readiness" 3 "liveness" 6 }}
          {{ $name }}Probe:
            {{- toYaml $.probe | nindent 12 }}
            periodSeconds: 5
            timeoutSeconds: 5
            failureThreshold: {{ $patience }}
          {{- end }}
          resources:
            {{- toYaml .resources | nindent 12 }}
          volumeMounts:
            - {name: data, mountPath: {{ .data }}}
            {{- range $index, $path := .writable }}
            - {name: scratch, mountPath: {{ $path }}, subPath: scratch-{{ $index }}}
            {{- end }}
            {{- with include "souk.secretMounts" (dict "secrets" .secrets) | trim }}
            {{- . | nindent 12 }}
            {{- end }}
      volumes:
        - {name: scratch, emptyDir: {sizeLimit: 256Mi}}
        {{- if not $storage.enabled }}
        - {name: data, emptyDir: {sizeLimit: {{ $storage.size }}}}
        {{- end }}
        {{- with include "souk.secretVolumes" (dict "root" .root "secrets" .secrets) | trim }}
        {{- . | nindent 8 }}
        {{- end }}
  {{- if $storage.enabled }}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec:
        accessModes: [ReadWriteOnce]
        {{- with $storage.className }}
        storageClassName: {{ . }}
        {{- end }}
        resources: {requests: {storage: {{ $storage.size }}}}
  {{- end }}
---
{{ include "lib.disruptionBudget" . }}
{{- if .root.Values.networkPolicy.enabled }}
---
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
    - from:
        {{- range .users }}
        - {{ include "lib.peer" (dict "root" $.root "component" .) | nindent 10 | trim }}
        {{- end }}
      ports:
        - {port: {{ .port }}, protocol: TCP}
  egress:
    {{- include "lib.dnsEgress" .root | nindent 4 }}
    {{- if eq .component "kafka" }}
    # A broker finds itself by its advertised name.
    - to:
        - {{ include "lib.peer" . | nindent 10 | trim }}
      ports:
        - {port: {{ .port }}, protocol: TCP}
    {{- end }}
{{- end }}
{{- end -}}

{{/* The services that the registry says keep data in a store or talk to a system outside, as a YAML list. Takes (dict "registry" $registry
     "field" "stores" "value" "redis"); the field "kafka" is those that publish or consume. */}}
{{- define "souk.development.users" -}}
{{- $users := list -}}
{{- range $name, $spec := .registry.services -}}
{{- if eq $.field "kafka" -}}
{{- if include "souk.onKafka" (dict "spec" $spec) -}}
{{- $users = append $users $name -}}
{{- end -}}
{{- else if has $.value (get $spec $.field) -}}
{{- $users = append $users $name -}}
{{- end -}}
{{- end -}}
{{- $users | toYaml -}}
{{- end -}}
