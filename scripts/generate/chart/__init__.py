"""The chart's generated parts, and its package.

    python -m scripts.generate.chart             writes helm/souk/files/registry.yaml and docs/values.md
    python -m scripts.generate.chart --check     exit code 1 when one of them is not what it is made from
    python -m scripts.generate.chart package     makes .souk/charts/souk-VERSION.tgz

`registry_file` turns services/services.yaml and the contract's access rules into what the templates loop over, `values_table`
turns the comments of helm/souk/values.yaml into a table, `package` hands the chart to Helm.
"""
