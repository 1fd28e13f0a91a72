{{/* The templates here take (dict "root" $ "registry" $registry "component" "order" "spec" $spec "values" $values), and those of
     a workload "role" and "settings" besides. */}}

{{/* Whom a service is to AWS and to the cluster: EKS Pod Identity knows which role it has, and mounts the token for it. */}}
{{- define "souk.service.account" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "lib.workload" . }}
  labels:
    {{- include "lib.labels" . | nindent 4 }}
automountServiceAccountToken: false
{{- end -}}

{{- define "souk.service.configuration" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "lib.workload" . }}
  labels:
    {{- include "lib.labels" . | nindent 4 }}
data:
  {{- include "souk.environment" . | nindent 2 }}
{{- end -}}

{{/* Headless: callers see every pod and balance between them. */}}
{{- define "souk.service.service" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "lib.workload" . }}
  labels:
    {{- include "lib.labels" . | nindent 4 }}
spec:
  clusterIP: None
  selector:
    {{- include "lib.selector" (merge (dict "role" "serve") .) | nindent 4 }}
  ports:
    - {name: grpc, port: {{ .spec.port }}, targetPort: grpc, appProtocol: {{ ternary "https" "grpc" .root.Values.mesh.tls.enabled }}}
{{- end -}}

{{/* What Prometheus finds: every pod of the service, of both roles, ready or not. */}}
{{- define "souk.service.metrics" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "lib.workload" . }}-metrics
  labels:
    {{- include "lib.labels" . | nindent 4 }}
    souk.dev/endpoint: metrics
spec:
  clusterIP: None
  publishNotReadyAddresses: true
  selector:
    {{- include "lib.selector" . | nindent 4 }}
  ports:
    - {name: metrics, port: {{ .spec.metricsPort }}, targetPort: metrics}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  name: {{ include "lib.workload" . }}
  labels:
    {{- include "lib.labels" . | nindent 4 }}
    {{- with .root.Values.metrics.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  selector:
    matchLabels:
      {{- include "lib.selector" . | nindent 6 }}
      souk.dev/endpoint: metrics
  podTargetLabels: [app.kubernetes.io/component, souk.dev/role]
  endpoints:
    - {port: metrics, interval: {{ .root.Values.metrics.interval }}}
{{- end -}}

{{/* By lag where KEDA can, else by CPU (and by calls, on the serve side). */}}
{{- define "souk.service.scaling" -}}
{{- $lag := include "souk.wanted" (dict "root" .root "mode" .root.Values.autoscaling.kafkaLag.mode "api" "keda.sh/v1alpha1") -}}
{{- if eq .role "work" -}}
{{- $_ := set .settings.autoscaling "maxReplicas" (include "souk.mostWorkers" . | int) -}}
{{- end -}}
{{- if and (eq .role "work") $lag .spec.consumes -}}
{{ include "souk.service.scaledObject" . }}
{{- else -}}
{{ include "lib.horizontalPodAutoscaler" (merge (dict "autoscaling" .settings.autoscaling) .) }}
{{- end -}}
{{- end -}}
