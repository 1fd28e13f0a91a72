{{/* The registry with its callers, as YAML: the only place that says which services there are. */}}
{{- define "souk.registry" -}}
{{- .Files.Get "files/registry.yaml" -}}
{{- end -}}

{{/* Whether a service is a user of the brokers: it publishes or consumes. Takes (dict "spec" $spec); answers "true" or "". */}}
{{- define "souk.onKafka" -}}
{{- if or .spec.publishes .spec.consumes -}}true{{- end -}}
{{- end -}}

{{/* How one role of a service is run, as YAML. Takes (dict "root" $ "component" "order" "role" "serve"). */}}
{{- define "souk.settings" -}}
{{- $own := get (default dict (get .root.Values.services .component)) .role | default dict -}}
{{- mergeOverwrite (deepCopy (get .root.Values .role)) $own | toYaml -}}
{{- end -}}

{{/* The roles that a service has in this release, as a YAML list: a canary works on no records. Takes (dict "root" $ "spec" $spec). */}}
{{- define "souk.roles" -}}
{{- if .root.Values.canary -}}
{{- without .spec.roles "work" | toYaml -}}
{{- else -}}
{{- .spec.roles | toYaml -}}
{{- end -}}
{{- end -}}

{{/* Whether something optional is rendered. Takes (dict "root" $ "mode" "auto" "api" "keda.sh/v1alpha1"); answers "true" or "". */}}
{{- define "souk.wanted" -}}
{{- if or (eq .mode "always") (and (eq .mode "auto") (.root.Capabilities.APIVersions.Has .api)) -}}true{{- end -}}
{{- end -}}

{{/* Where the certificates of the mesh come from: certManager, hook, existing; nothing without TLS. Takes the root. */}}
{{- define "souk.certificates" -}}
{{- if .Values.mesh.tls.enabled -}}
{{- if eq .Values.mesh.tls.source "auto" -}}
{{- ternary "certManager" "hook" (.Capabilities.APIVersions.Has "cert-manager.io/v1") -}}
{{- else -}}
{{- .Values.mesh.tls.source -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The most pods of a service's work side that have something to do: the partitions of its largest topic, or what the values say.
     Takes (dict "root" $ "registry" $registry "spec" $spec "settings" $settings). */}}
{{- define "souk.mostWorkers" -}}
{{- $most := int .settings.autoscaling.minReplicas -}}
{{- if .settings.autoscaling.maxReplicas -}}
{{- $most = int .settings.autoscaling.maxReplicas -}}
{{- else -}}
{{- range .spec.consumes -}}
{{- $most = max $most (int (get $.registry.topics .).partitions) -}}
{{- end -}}
{{- end -}}
{{- $most -}}
{{- end -}}
