{{/* What a service mesh wants to see on pods. Both take the root. The probes' and metrics' ports stay outside of it. */}}
{{- define "souk.mesh.podLabels" -}}
{{- if eq .Values.mesh.provider "istio" -}}
sidecar.istio.io/inject: "true"
{{- end -}}
{{- end -}}
{{- define "souk.mesh.podAnnotations" -}}
{{- if eq .Values.mesh.provider "istio" -}}
proxy.istio.io/config: '{"holdApplicationUntilProxyStarts": true}'
{{- else if eq .Values.mesh.provider "linkerd" -}}
linkerd.io/inject: enabled
config.linkerd.io/proxy-await: enabled
{{- end -}}
{{- end -}}
{{/* Leave for the proxies to reach their control plane. */}}
{{- define "souk.mesh.egress" -}}
{{- if eq .Values.mesh.provider "istio" }}
- to:
    - namespaceSelector:
        matchLabels: {kubernetes.io/metadata.name: istio-system}
  ports:
    - {port: 15012, protocol: TCP}
{{- else if eq .Values.mesh.provider "linkerd" }}
- to:
    - namespaceSelector:
        matchLabels: {kubernetes.io/metadata.name: linkerd}
  ports:
    - {port: 8080, protocol: TCP}
    - {port: 8086, protocol: TCP}
    - {port: 8090, protocol: TCP}
{{- end }}
{{- end -}}
{{/* A Job would never end beside a proxy that does not: hooks stay out of the mesh, which they need not. */}}
{{- define "souk.mesh.jobLabels" -}}
sidecar.istio.io/inject: "false"
{{- end -}}
{{- define "souk.mesh.jobAnnotations" -}}
linkerd.io/inject: disabled
{{- end -}}
