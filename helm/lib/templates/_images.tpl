{{/* An image by its digest if there is one, else by its tag, else by the chart's appVersion.
     Takes (dict "root" $ "image" .Values.images.services "override" $settings.image); the override may be left out. */}}
{{- define "lib.image" -}}
{{- $image := mergeOverwrite (deepCopy .image) (default dict .override) -}}
{{- $repository := $image.repository -}}
{{- $registry := default .root.Values.imageRegistry $image.registry -}}
{{- if $registry }}{{ $repository = printf "%s/%s" (trimSuffix "/" $registry) $repository }}{{ end -}}
{{- if $image.digest -}}
{{ $repository }}@{{ $image.digest }}
{{- else -}}
{{ $repository }}:{{ default .root.Chart.AppVersion $image.tag }}
{{- end -}}
{{- end -}}
