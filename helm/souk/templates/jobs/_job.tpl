{{/* When a hook runs: before what the release brings is installed or upgraded, or after it. Takes its values. */}}
{{- define "souk.hookEvents" -}}
{{- ternary "pre-install,pre-upgrade" "post-install,post-upgrade" (eq .when "before") -}}
{{- end -}}

{{/* Annotations of a hook. Takes (dict "on" "pre-install,pre-upgrade" "weight" "0"). Finished Jobs go; failed ones stay until the next try. */}}
{{- define "souk.hook" -}}
helm.sh/hook: {{ .on }}
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: {{ default "before-hook-creation,hook-succeeded" .delete }}
{{- end -}}

{{/* A Job that runs one command of ours. Takes (dict "root" $ "component" "migrate-order" "hook" (dict ...) "job" .Values.migrations
     "image" .Values.images.services "command" (list) "args" (list) "environment" (dict) "secrets" (list)), and optionally "override" (of the
     image), "account" (a service account), "token" (whether it is mounted) and "volumes", "mounts" (YAML lists as text). */}}
{{- define "souk.job" -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "lib.workload" . }}
  labels:
    {{- include "lib.labels" . | nindent 4 }}
  annotations:
    {{- include "souk.hook" .hook | nindent 4 }}
spec:
  {{- include "souk.jobSpec" . | nindent 2 }}
{{- end -}}

{{/* The same without its name and its hook, for whoever makes Jobs. */}}
{{- define "souk.jobSpec" -}}
backoffLimit: {{ .job.backoffLimit }}
activeDeadlineSeconds: {{ .job.deadlineSeconds }}
template:
  metadata:
    labels:
      {{- include "lib.podLabels" . | nindent 6 }}
      {{- include "souk.mesh.jobLabels" .root | nindent 6 }}
    annotations:
      {{- include "souk.mesh.jobAnnotations" .root | nindent 6 }}
  spec:
    {{- $pod := include "lib.pod" (dict "root" .root) }}
    {{- if .token }}{{ $pod = $pod | replace "automountServiceAccountToken: false" "automountServiceAccountToken: true" }}{{ end }}
    {{- $pod | nindent 4 }}
    {{- with .account }}
    serviceAccountName: {{ . }}
    {{- end }}
    restartPolicy: Never
    terminationGracePeriodSeconds: 30
    containers:
      - name: {{ .component }}
        image: {{ include "lib.image" (dict "root" .root "image" .image "override" .override) }}
        imagePullPolicy: {{ .root.Values.imagePullPolicy }}
        {{- with .command }}
        command: {{ toJson . }}
        {{- end }}
        args: {{ toJson .args }}
        securityContext:
          {{- include "lib.containerSecurity" . | nindent 10 }}
        {{- if or .environment .secrets }}
        env:
          {{- range $name, $value := .environment }}
          - {name: {{ $name }}, value: {{ tpl (toString $value) $.root | quote }}}
          {{- end }}
          {{- range $name, $value := include "souk.secretVariables" (dict "secrets" .secrets) | fromYaml }}
          - {name: {{ $name }}, value: {{ $value }}}
          {{- end }}
        {{- end }}
        resources:
          {{- toYaml .job.resources | nindent 10 }}
        volumeMounts:
          - {name: tmp, mountPath: /tmp}
          {{- with include "souk.secretMounts" (dict "secrets" .secrets) | trim }}
          {{- . | nindent 10 }}
          {{- end }}
          {{- with include "souk.trustMount" .root }}
          {{- . | nindent 10 }}
          {{- end }}
    volumes:
      - {name: tmp, emptyDir: {sizeLimit: 64Mi}}
      {{- with include "souk.secretVolumes" (dict "root" .root "secrets" .secrets) | trim }}
      {{- . | nindent 6 }}
      {{- end }}
      {{- with include "souk.trustVolume" .root }}
      {{- . | nindent 6 }}
      {{- end }}
{{- end -}}

{{/* What a Job may reach: name servers and the rules given. Takes (dict "root" $ "component" "topics" "rules" (a YAML list as text)), and
     "hook" for a Job that is one: then the policy is there before it. Else a new service's Job, or one whose server has moved, would wait
     behind the default deny of the last release for a policy that only comes after it. */}}
{{- define "souk.job.networkPolicy" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "lib.workload" . }}
  labels:
    {{- include "lib.labels" . | nindent 4 }}
  {{- with .hook }}
  annotations:
    {{- include "souk.hook" (dict "on" .on "weight" (sub (int .weight) 5)) | nindent 4 }}
  {{- end }}
spec:
  podSelector:
    matchLabels:
      {{- include "lib.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  egress:
    {{- include "lib.dnsEgress" .root | nindent 4 }}
    {{- .rules | trim | nindent 4 }}
{{- end -}}
