{{/* One role of a service. */}}
{{- define "souk.service.deployment" -}}
{{- $secrets := include "souk.serviceSecrets" . | fromYamlArray -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "lib.workload" . }}
  labels:
    {{- include "lib.labels" . | nindent 4 }}
spec:
  {{- if not .root.Values.autoscaling.enabled }}
  replicas: {{ .settings.replicas }}
  {{- end }}
  {{- include "souk.rollout" .root | nindent 2 }}
  selector:
    matchLabels:
      {{- include "lib.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "lib.podLabels" . | nindent 8 }}
        {{- with include "souk.mesh.podLabels" .root }}
        {{- . | nindent 8 }}
        {{- end }}
      annotations:
        checksum/config: {{ include "souk.environment" . | sha256sum }}
        {{- with include "souk.mesh.podAnnotations" .root }}
        {{- . | trim | nindent 8 }}
        {{- end }}
        {{- with .settings.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      {{- include "lib.pod" (dict "root" .root) | nindent 6 }}
      serviceAccountName: {{ include "lib.workload" (omit . "role") }}
      terminationGracePeriodSeconds: {{ .root.Values.drain.terminationGraceSeconds }}
      topologySpreadConstraints:
        {{- include "lib.spread" . | trim | nindent 8 }}
      containers:
        - name: {{ .component }}
          image: {{ include "lib.image" (dict "root" .root "image" .root.Values.images.services "override" .values.image) }}
          imagePullPolicy: {{ .root.Values.imagePullPolicy }}
          args: [{{ .component }}, --role, {{ .role }}]
          securityContext:
            {{- include "lib.containerSecurity" . | nindent 12 }}
          envFrom:
            - configMapRef: {name: {{ include "lib.workload" (omit . "role") }}}
          ports:
            {{- if eq .role "serve" }}
            - {name: grpc, containerPort: {{ .spec.port }}}
            {{- end }}
            - {name: metrics, containerPort: {{ .spec.metricsPort }}}
            - {name: health, containerPort: 50040}
          {{- include "lib.probes" (dict "root" .root "port" 50040) | nindent 10 }}
          {{- if eq .role "serve" }}
          lifecycle:
            preStop:
              sleep: {seconds: {{ .root.Values.drain.lookAwaySeconds }}}
          {{- end }}
          resources:
            {{- toYaml .settings.resources | nindent 12 }}
          volumeMounts:
            - {name: tmp, mountPath: /tmp}
            {{- include "souk.secretMounts" (dict "secrets" $secrets) | trim | nindent 12 }}
            {{- with include "souk.trustMount" .root }}
            {{- . | trim | nindent 12 }}
            {{- end }}
            {{- with include "souk.tlsMount" .root }}
            {{- . | trim | nindent 12 }}
            {{- end }}
      volumes:
        - {name: tmp, emptyDir: {sizeLimit: 64Mi}}
        {{- include "souk.secretVolumes" (dict "root" .root "secrets" $secrets) | trim | nindent 8 }}
        {{- with include "souk.trustVolume" .root }}
        {{- . | trim | nindent 8 }}
        {{- end }}
        {{- with include "souk.tlsVolume" . }}
        {{- . | trim | nindent 8 }}
        {{- end }}
{{- end -}}

{{/* One pod more before one fewer. Takes the root. */}}
{{- define "souk.rollout" -}}
revisionHistoryLimit: {{ .Values.rollout.revisionHistoryLimit }}
minReadySeconds: {{ .Values.rollout.minReadySeconds }}
progressDeadlineSeconds: {{ .Values.rollout.progressDeadlineSeconds }}
strategy:
  type: RollingUpdate
  rollingUpdate: {maxSurge: {{ .Values.rollout.maxSurge }}, maxUnavailable: 0}
{{- end -}}

{{/* CA files for the servers outside, when there are any. Both take the root. */}}
{{- define "souk.trustMount" -}}
{{- if .Values.trust.configMap -}}
- {name: trust, mountPath: /trust, readOnly: true}
{{- end -}}
{{- end -}}
{{- define "souk.trustVolume" -}}
{{- with .Values.trust.configMap -}}
- {name: trust, configMap: {name: {{ . }}}}
{{- end -}}
{{- end -}}

{{/* The certificate of a service. */}}
{{- define "souk.tlsMount" -}}
{{- if .Values.mesh.tls.enabled -}}
- {name: tls, mountPath: /tls, readOnly: true}
{{- end -}}
{{- end -}}
{{- define "souk.tlsVolume" -}}
{{- if .root.Values.mesh.tls.enabled -}}
- name: tls
  secret: {secretName: {{ include "souk.secretName" (dict "root" .root "secret" (printf "%s-tls" .component)) }}, defaultMode: 0440}
{{- end -}}
{{- end -}}
