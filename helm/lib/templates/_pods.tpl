{{/* What the "restricted" pod security standard asks of a pod. Takes the user's number. */}}
{{- define "lib.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* What it asks of a container, and a root file system that nobody writes to. */}}
{{- define "lib.containerSecurity" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Over zones first, then over hosts; the pods of one version among themselves, so that a roll-out ends evenly spread.
     Takes what "lib.selector" takes. */}}
{{- define "lib.spread" -}}
{{- $selector := include "lib.selector" . -}}
{{- range $key, $unsatisfiable := dict "topology.kubernetes.io/zone" .root.Values.spread.zones "kubernetes.io/hostname" .root.Values.spread.hosts }}
- topologyKey: {{ $key }}
  maxSkew: 1
  whenUnsatisfiable: {{ $unsatisfiable }}
  labelSelector:
    matchLabels:
      {{- $selector | nindent 6 }}
  matchLabelKeys: [pod-template-hash]
{{- end }}
{{- end -}}

{{/* The probes of a process of the chassis, over its health port: `live` while its event loop turns, the empty name while
     it takes work. Takes (dict "root" $ "port" 50040). */}}
{{- define "lib.probes" -}}
{{- $probes := .root.Values.probes -}}
startupProbe:
  grpc: {port: {{ .port }}, service: live}
  periodSeconds: {{ $probes.startup.periodSeconds }}
  timeoutSeconds: {{ $probes.startup.timeoutSeconds }}
  failureThreshold: {{ $probes.startup.failureThreshold }}
readinessProbe:
  grpc: {port: {{ .port }}, service: ""}
  periodSeconds: {{ $probes.readiness.periodSeconds }}
  timeoutSeconds: {{ $probes.readiness.timeoutSeconds }}
  failureThreshold: {{ $probes.readiness.failureThreshold }}
livenessProbe:
  grpc: {port: {{ .port }}, service: live}
  periodSeconds: {{ $probes.liveness.periodSeconds }}
  timeoutSeconds: {{ $probes.liveness.timeoutSeconds }}
  failureThreshold: {{ $probes.liveness.failureThreshold }}
{{- end -}}

{{/* The same over HTTP, for Envoy. Takes (dict "root" $ "port" 8080 "path" "/livez"). */}}
{{- define "lib.httpProbes" -}}
{{- $http := printf "{path: %s, port: %v}" .path .port -}}
{{- range $name, $probe := .root.Values.probes }}
{{ $name }}Probe:
  httpGet: {{ $http }}
  periodSeconds: {{ $probe.periodSeconds }}
  timeoutSeconds: {{ $probe.timeoutSeconds }}
  failureThreshold: {{ $probe.failureThreshold }}
{{- end }}
{{- end -}}

{{/* What all pods say alike, beside their containers. Takes (dict "root" $ "user" 10001). */}}
{{- define "lib.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- include "lib.podSecurity" (default 10001 .user) | nindent 2 }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
# Whole names are asked for as they are: no search list before each of them.
dnsConfig:
  options:
    - {name: ndots, value: "2"}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
