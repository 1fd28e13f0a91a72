{{/* What the schema cannot say: refused with one line for each mistake. */}}
{{- define "souk.validate" -}}
{{- $registry := include "souk.registry" . | fromYaml -}}
{{- $problems := list -}}
{{- $names := keys $registry.services | sortAlpha -}}
{{- range $name, $_ := .Values.services -}}
{{- if not (has $name $names) -}}
{{- $problems = append $problems (printf "services.%s: the registry has no such service; it has %s" $name (join ", " $names)) -}}
{{- end -}}
{{- end -}}
{{- range $name, $spec := $registry.services -}}
{{- range $spec.outside -}}
{{- if not (hasKey $.Values.outside .) -}}
{{- $problems = append $problems (printf "outside.%s: the service %s talks to it, and the values don't say how" . $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $name, $image := .Values.images -}}
{{- if eq (default "" $image.tag) "latest" -}}
{{- $problems = append $problems (printf "images.%s.tag: latest says nothing; give a version or a digest" $name) -}}
{{- end -}}
{{- end -}}
{{- $environments := dict "environment" .Values.environment -}}
{{- range $name, $service := .Values.services -}}
{{- if eq (default "" (default dict $service.image).tag) "latest" -}}
{{- $problems = append $problems (printf "services.%s.image.tag: latest says nothing; give a version or a digest" $name) -}}
{{- end -}}
{{- $_ := set $environments (printf "services.%s.environment" $name) $service.environment -}}
{{- end -}}
{{- range $name, $system := .Values.outside -}}
{{- $_ := set $environments (printf "outside.%s.environment" $name) $system.environment -}}
{{- end -}}
{{- range $path, $environment := $environments -}}
{{- range $variable, $value := $environment -}}
{{- if or (regexMatch "(PASSWORD|SECRET|TOKEN|_KEY|DATABASE_URL)$" $variable) (regexMatch "://[^/@]*:[^/@]*@" (toString $value)) -}}
{{- $problems = append $problems (printf "%s.%s: a secret is no value; mount it with `secrets` and name its file with %s_FILE" $path $variable $variable) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if not .Values.kafka.bootstrap -}}
{{- $problems = append $problems "kafka.bootstrap: not set; it says where the brokers are (values-laptop.yaml brings some)" -}}
{{- end -}}
{{- if and (eq .Values.kafka.saslMechanism "AWS_MSK_IAM") (not .Values.awsRegion) -}}
{{- $problems = append $problems "awsRegion: not set; AWS_MSK_IAM needs the region of the brokers" -}}
{{- end -}}
{{- if and .Values.kafka.caFile (not .Values.trust.configMap) -}}
{{- $problems = append $problems "trust.configMap: not set; kafka.caFile names a file in it" -}}
{{- end -}}
{{- if and .Values.edge.ingress.enabled (not .Values.edge.ingress.certificateArn) -}}
{{- $problems = append $problems "edge.ingress.certificateArn: not set; the load balancer serves HTTPS only" -}}
{{- end -}}
{{- if and .Values.canary (or .Values.edge.ingress.enabled .Values.edge.gateway.enabled .Values.development.enabled) -}}
{{- $problems = append $problems "canary: it has no way in and no servers of its own; turn off edge.ingress, edge.gateway and development" -}}
{{- end -}}
{{- if and .Values.edge.gateway.enabled (not .Values.edge.gateway.parent.name) -}}
{{- $problems = append $problems "edge.gateway.parent.name: not set; it names the Gateway" -}}
{{- end -}}
{{- range list "serve" "work" -}}
{{- $role := . -}}
{{- range $name := $names -}}
{{- $scaling := (include "souk.settings" (dict "root" $ "component" $name "role" $role) | fromYaml).autoscaling -}}
{{- if and $scaling.maxReplicas (lt (int $scaling.maxReplicas) (int $scaling.minReplicas)) -}}
{{- $problems = append $problems (printf "services.%s.%s.autoscaling: maxReplicas is below minReplicas" $name $role) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if lt (int .Values.drain.terminationGraceSeconds) (add (int .Values.drain.lookAwaySeconds) 60 | int) -}}
{{- $problems = append $problems (printf "drain.terminationGraceSeconds: %d is too short: %d to look away and 60 for the drain" (int .Values.drain.terminationGraceSeconds) (int .Values.drain.lookAwaySeconds)) -}}
{{- end -}}
{{- if $problems -}}
{{- fail (printf "\n\nvalues:\n  %s\n" (join "\n  " $problems)) -}}
{{- end -}}
{{- end -}}
