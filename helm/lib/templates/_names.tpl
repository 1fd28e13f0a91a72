{{/* The prefix of everything a release makes: its name, or `fullnameOverride`. */}}
{{- define "lib.fullname" -}}
{{- default .Release.Name .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* The name of a part of the release. Takes (dict "root" $ "part" "order-serve"). */}}
{{- define "lib.name" -}}
{{- printf "%s-%s" (include "lib.fullname" .root) .part -}}
{{- end -}}

{{/* The whole DNS name of a Service of the release, which needs no search list. Takes (dict "root" $ "part" "order"). */}}
{{- define "lib.host" -}}
{{- printf "%s.%s.svc.%s" (include "lib.name" .) .root.Release.Namespace .root.Values.clusterDomain -}}
{{- end -}}
