"""The certificates of the mesh where nobody else issues them: a CA of the installation, and one certificate per identity.

    python -m scripts.operate.mesh_certificates --namespace shop --secret-prefix souk-    into Secrets of a cluster
    python -m scripts.operate.mesh_certificates --out DIR                                 into folders: DIR/order/tls.crt ...

Running it again changes nothing until less than a third of a certificate's life is left. With cert-manager in the
cluster it is not needed.
"""
