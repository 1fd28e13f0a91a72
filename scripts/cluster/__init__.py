"""A Kubernetes cluster of this machine's own, and the commands that look after a release on any cluster.

    python -m scripts.cluster tools [NAME...]   build the tools that are not there yet (once for each machine)
    python -m scripts.cluster up | down         a control plane on loopback with simulated nodes in three zones
    python -m scripts.cluster status            a release on any cluster, as a table
    python -m scripts.cluster smoke             wait for a roll-out, place an order, answer by exit code

The control plane is real: kube-apiserver, controller-manager, scheduler, etcd and metrics-server. The nodes are not: kwok
says of every pod what a kubelet would, so admission, scheduling, roll-outs, autoscaling, evictions and hooks are what they
are anywhere, while no container runs and no packet flows. `tools` knows what is built from which module, `plane` how it is
started, `stages` what the simulated nodes say. The one real node that tests put a release on is theirs (tests/deploy/node).
"""
