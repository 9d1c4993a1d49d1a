"""Installs and rotates a certificate over gNOI, as clients in Python do: each operation over one stream (`whole`), or with a
stream for each step that is one message long (`steps`), as the vendor's programs have it.

Arguments: operation, style, address, id, certificate that the client trusts, key and certificate of the client (empty for
none), and the certificate and the key of the CA that signs. GNOI_PROTOS names the folder with cert_pb2.
"""

import os
import queue
import subprocess
import sys

import grpc

sys.path.insert(0, os.environ["GNOI_PROTOS"])
import cert_pb2  # noqa: E402
import cert_pb2_grpc  # noqa: E402
import system_pb2  # noqa: E402
import system_pb2_grpc  # noqa: E402

operation, style, address, certificate_id, trusted, client_key, client_certificate, ca, ca_key = sys.argv[1:]
credentials = (("username", "admin"), ("password", os.environ["GNOI_PASSWORD"]))
options = (("grpc.ssl_target_name_override", "localhost"),)


def read(path):
    if path == "":
        return None
    with open(path, "rb") as file:
        return file.read()


def channel_that_trusts(path):
    tls = grpc.ssl_channel_credentials(read(path), read(client_key), read(client_certificate))
    return grpc.secure_channel(address, tls, options)


def sign(request):
    """Signs a CSR with the names that it asks for."""
    arguments = ["openssl", "x509", "-req", "-CA", ca, "-CAkey", ca_key, "-days", "30", "-sha384"]
    done = subprocess.run(
        arguments + ["-copy_extensions", "copy", "-set_serial", str(int.from_bytes(os.urandom(8), "big"))],
        input=request,
        capture_output=True,
        check=True,
    )
    return done.stdout


def generate(message):
    parameters = cert_pb2.CSRParams(
        type=cert_pb2.CT_X509,
        min_key_size=2048,
        key_type=cert_pb2.KT_RSA,
        common_name="localhost",
        country="US",
        state="CA",
        city="Sunnyvale",
        organization="Acme",
        organizational_unit="Testing",
        ip_address="127.0.0.1",
        email_id="test@example.com",
    )
    return message(
        generate_csr=cert_pb2.GenerateCSRRequest(csr_params=parameters, certificate_id=certificate_id)
    )


def load(message, certificate, id_again):
    sent = cert_pb2.Certificate(type=cert_pb2.CT_X509, certificate=certificate)
    bundle = [cert_pb2.Certificate(type=cert_pb2.CT_X509, certificate=read(ca))]
    return message(
        load_certificate=cert_pb2.LoadCertificateRequest(
            certificate=sent, certificate_id=id_again, ca_certificates=bundle
        )
    )


class Whole:
    """All messages of an operation over one stream."""

    def __init__(self, call):
        self.messages = queue.Queue()
        self.answers = call(iter(self.messages.get, None), timeout=180, metadata=credentials)

    def ask(self, message):
        self.messages.put(message)
        return next(self.answers)

    def finish(self, message):
        if message is not None:
            self.messages.put(message)
        self.messages.put(None)
        for answer in self.answers:
            raise SystemExit(f"unexpected answer {answer}")


class Steps:
    """Each message over a stream of its own."""

    def __init__(self, call):
        self.call = call

    def ask(self, message):
        (answer,) = self.call(iter([message]), timeout=60, metadata=credentials)
        return answer

    def finish(self, message):
        if message is not None:
            for answer in self.call(iter([message]), timeout=60, metadata=credentials):
                raise SystemExit(f"unexpected answer {answer}")


def main():
    channel = channel_that_trusts(trusted)
    stub = cert_pb2_grpc.CertificateManagementStub(channel)
    call, message = {
        "install": (stub.Install, cert_pb2.InstallCertificateRequest),
        "rotate": (stub.Rotate, cert_pb2.RotateCertificateRequest),
    }[operation]
    steps = {"whole": Whole, "steps": Steps}[style](call)
    answer = steps.ask(generate(message))
    certificate = sign(answer.generated_csr.csr.csr)
    steps.ask(load(message, certificate, "" if style == "whole" else certificate_id))
    if operation == "install":
        steps.finish(None)
    else:
        # A connection of its own shows whether the certificate is good, before the rotation is finalized
        with channel_that_trusts(ca) as test:
            time = system_pb2_grpc.SystemStub(test).Time(
                system_pb2.TimeRequest(), timeout=30, metadata=credentials
            )
            assert time.time > 1_700_000_000_000_000_000, time
        steps.finish(message(finalize_rotation=cert_pb2.FinalizeRequest()))
    print(f"{operation} done")


try:
    main()
except grpc.RpcError as error:
    raise SystemExit(f"{operation} {error.code().name}: {error.details()}")
