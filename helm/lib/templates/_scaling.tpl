{{/* Fast up, slow down: twice as many within a quarter of a minute, a tenth fewer a minute once load has stayed low.
     Takes .Values.autoscaling. */}}
{{- define "lib.scalingBehavior" -}}
scaleUp:
  stabilizationWindowSeconds: {{ .scaleUp.stabilizationSeconds }}
  selectPolicy: Max
  policies:
    - {type: Percent, value: {{ .scaleUp.percent }}, periodSeconds: {{ .scaleUp.periodSeconds }}}
    - {type: Pods, value: {{ .scaleUp.pods }}, periodSeconds: {{ .scaleUp.periodSeconds }}}
scaleDown:
  stabilizationWindowSeconds: {{ .scaleDown.stabilizationSeconds }}
  selectPolicy: Max
  policies:
    - {type: Percent, value: {{ .scaleDown.percent }}, periodSeconds: {{ .scaleDown.periodSeconds }}}
    - {type: Pods, value: {{ .scaleDown.pods }}, periodSeconds: {{ .scaleDown.periodSeconds }}}
{{- end -}}

{{/* A HorizontalPodAutoscaler. Takes (dict "root" $ "component" "order" "role" "serve" "autoscaling" $autoscaling). */}}
{{- define "lib.horizontalPodAutoscaler" -}}
{{- $name := include "lib.workload" . -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ $name }}
  labels:
    {{- include "lib.labels" . | nindent 4 }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ $name }}}
  minReplicas: {{ .autoscaling.minReplicas }}
  maxReplicas: {{ .autoscaling.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target: {type: Utilization, averageUtilization: {{ .autoscaling.cpuPercent }}}
    {{- $rate := .root.Values.autoscaling.requestRate }}
    {{- if and $rate.enabled .autoscaling.requestsPerSecond }}
    - type: Pods
      pods:
        metric: {name: {{ $rate.metric }}}
        target: {type: AverageValue, averageValue: {{ .autoscaling.requestsPerSecond | quote }}}
    {{- end }}
  behavior:
    {{- include "lib.scalingBehavior" .root.Values.autoscaling | nindent 4 }}
{{- end -}}

{{/* The name of a Deployment: release, component and role. Takes what "lib.selector" takes. */}}
{{- define "lib.workload" -}}
{{- include "lib.name" (dict "root" .root "part" (ternary (printf "%s-%s" .component (default "" .role)) .component (not (empty .role)))) -}}
{{- end -}}

{{/* One pod at a time, and never in the way of one that does not run. Takes what "lib.selector" takes. */}}
{{- define "lib.disruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "lib.workload" . }}
  labels:
    {{- include "lib.labels" . | nindent 4 }}
spec:
  maxUnavailable: {{ .root.Values.disruption.maxUnavailable }}
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "lib.selector" . | nindent 6 }}
{{- end -}}
