{{/* Scales the work side by how far its consumer group is behind, for each topic. The group's name is the service's. */}}
{{- define "souk.service.scaledObject" -}}
{{- $values := .root.Values -}}
{{- $authenticated := hasPrefix "SCRAM" $values.kafka.saslMechanism -}}
{{- $iam := eq "AWS_MSK_IAM" $values.kafka.saslMechanism -}}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: {{ include "lib.workload" . }}
  labels:
    {{- include "lib.labels" . | nindent 4 }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ include "lib.workload" . }}}
  minReplicaCount: {{ .settings.autoscaling.minReplicas }}
  maxReplicaCount: {{ .settings.autoscaling.maxReplicas }}
  pollingInterval: {{ $values.autoscaling.kafkaLag.pollingSeconds }}
  # While the brokers don't answer, as many as there are.
  fallback: {failureThreshold: 3, replicas: {{ .settings.autoscaling.minReplicas }}, behavior: currentReplicasIfHigher}
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        {{- include "lib.scalingBehavior" $values.autoscaling | nindent 8 }}
  triggers:
    {{- range .spec.consumes }}
    - type: kafka
      # Said, though it is the default: the fallback needs it, and some releases of KEDA take what is not said for another.
      metricType: AverageValue
      metadata:
        bootstrapServers: {{ tpl $values.kafka.bootstrap $.root | quote }}
        consumerGroup: {{ $.component }}
        topic: {{ . }}
        lagThreshold: {{ $values.autoscaling.kafkaLag.threshold | quote }}
        offsetResetPolicy: earliest
        {{- if has $values.kafka.securityProtocol (list "SSL" "SASL_SSL") }}
        tls: enable
        {{- end }}
        {{- if $authenticated }}
        sasl: {{ $values.kafka.saslMechanism | lower | replace "-" "_" | replace "sha_" "sha" }}
        {{- else if $iam }}
        sasl: oauthbearer
        saslTokenProvider: aws_msk_iam
        awsRegion: {{ $values.awsRegion }}
        {{- end }}
      {{- if or $authenticated $iam }}
      authenticationRef: {name: {{ include "lib.name" (dict "root" $.root "part" (ternary (printf "%s-kafka" $.component) "kafka" $authenticated)) }}}
      {{- end }}
    {{- end }}
    # Events that take long without piling up show here.
    - type: cpu
      metricType: Utilization
      metadata: {value: {{ .settings.autoscaling.cpuPercent | quote }}}
{{- end -}}
