{{/* Pods of this release, as a peer of a NetworkPolicy. Takes what "lib.selector" takes. */}}
{{- define "lib.peer" -}}
podSelector:
  matchLabels:
    {{- include "lib.selector" . | nindent 4 }}
{{- end -}}

{{/* Leave to ask the cluster's name servers. */}}
{{- define "lib.dnsEgress" -}}
- to:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: {{ .Values.networkPolicy.dns.namespace }}
      podSelector:
        matchLabels:
          {{- toYaml .Values.networkPolicy.dns.podLabels | nindent 10 }}
  ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
{{- end -}}

{{/* Egress rules out of values: a list of {to: [peers], ports: [numbers]}; without `to` it is anywhere. */}}
{{- define "lib.egress" -}}
{{- range . }}
- {{ with .to }}to:
    {{- toYaml . | nindent 4 }}
  {{ end }}ports:
    {{- range .ports }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
{{- end }}
{{- end -}}
