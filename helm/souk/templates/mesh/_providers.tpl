{{/* What a service mesh wants to see on pods. Both take the root. */}}
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
{{/* The ports at which a meshed pod is reached by another: Linkerd's proxies speak to each other on one of their own, and what is
     behind it is for the Servers to say. Takes (dict "root" $ "port" 50054). */}}
{{- define "souk.mesh.ports" -}}
- {port: {{ .port }}, protocol: TCP}
{{- if eq .root.Values.mesh.provider "linkerd" }}
- {port: 4143, protocol: TCP}
{{- end }}
{{- end -}}
