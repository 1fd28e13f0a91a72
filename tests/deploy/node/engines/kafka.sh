#!/bin/sh
# What the official image of Kafka does at its start, as far as the chart relies on it: settings are variables, a folder without
# data is formatted.
set -eu
settings=/opt/kafka/config/server.properties
env | grep '^KAFKA_' | grep -v '^KAFKA_HEAP_OPTS=' | while IFS='=' read -r name value; do
  echo "$(echo "${name#KAFKA_}" | tr 'A-Z_' 'a-z.')=$value"
done >"$settings"

set -- java $KAFKA_HEAP_OPTS -Dlog4j2.configurationFile=/opt/kafka/log4j2.yaml -cp '/opt/kafka/libs/*'
"$@" kafka.tools.StorageTool format --ignore-formatted --cluster-id SOUKSOUKSOUKSOUKSOUKSQ --config "$settings" >/dev/null
exec "$@" kafka.Kafka "$settings"
