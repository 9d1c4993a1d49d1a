package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"strings"

	"github.com/stmcginnis/gofish/schemas"
)

const httpsCertificates = "/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates"

func listCertificates(o *operator) error {
	service, err := o.api.Service.CertificateService()
	if err != nil {
		return err
	}
	locations, err := service.CertificateLocations()
	if err != nil {
		return err
	}
	certificates, err := locations.Certificates()
	if err != nil {
		return err
	}
	for _, certificate := range certificates {
		if certificate.ODataID == httpsCertificates+"/1" {
			return expect("the type", string(certificate.CertificateType), "PEM")
		}
	}
	return errors.New("the certificate of HTTPS is not listed")
}

func generateAndReplace(o *operator) error {
	service, err := o.api.Service.CertificateService()
	if err != nil {
		return err
	}
	answer, err := service.GenerateCSR(&schemas.CertificateServiceGenerateCSRParameters{
		CertificateCollection: httpsCertificates,
		CommonName:            "gofish.example", AlternativeNames: []string{"gofish.example"},
		Organization: "Example", Country: "DE",
		KeyPairAlgorithm: "TPM_ALG_ECDSA", KeyCurveID: "TPM_ECC_NIST_P384",
	})
	if err != nil {
		return err
	}
	_, err = o.signAndReplace(answer.CSRString)
	return err
}

func rekey(o *operator) error {
	before, err := o.served()
	if err != nil {
		return err
	}
	certificate, err := o.certificate()
	if err != nil {
		return err
	}
	answer, err := certificate.Rekey(&schemas.CertificateRekeyParameters{
		KeyPairAlgorithm: "TPM_ALG_ECDSA", KeyCurveID: "TPM_ECC_NIST_P256",
	})
	if err != nil {
		return err
	}
	after, err := o.signAndReplace(answer.CSRString)
	if err != nil {
		return err
	}
	if bytes.Equal(before.RawSubjectPublicKeyInfo, after.RawSubjectPublicKeyInfo) {
		return errors.New("the key is the same")
	}
	return nil
}

func renew(o *operator) error {
	before, err := o.served()
	if err != nil {
		return err
	}
	certificate, err := o.certificate()
	if err != nil {
		return err
	}
	answer, err := certificate.Renew("challenge")
	if err != nil {
		return err
	}
	after, err := o.signAndReplace(answer.CSRString)
	if err != nil {
		return err
	}
	if !bytes.Equal(before.RawSubjectPublicKeyInfo, after.RawSubjectPublicKeyInfo) {
		return errors.New("the key is another one")
	}
	return nil
}

func staleCertificate(o *operator) error {
	certificate, err := o.certificate()
	if err != nil {
		return err
	}
	if err := generateAndReplace(o); err != nil {
		return err
	}
	_, err = certificate.Rekey(&schemas.CertificateRekeyParameters{})
	if !schemas.Is412PreconditionFailed(err) {
		return fmt.Errorf("not answered with 412: %v", err)
	}
	return nil
}

func (o *operator) certificate() (*schemas.Certificate, error) {
	return schemas.GetCertificate(o.api, httpsCertificates+"/1")
}

// Installs the certificate for a CSR, sees that it is served, and that gofish did not have to ask twice: on 412
// it sends ReplaceCertificate again without If-Match.
func (o *operator) signAndReplace(csr string) (*x509.Certificate, error) {
	signed, err := o.sign(csr)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode([]byte(signed))
	if block == nil {
		return nil, errors.New("openssl made no certificate")
	}
	service, err := o.api.Service.CertificateService()
	if err != nil {
		return nil, err
	}
	failed := o.answers.preconditionFailed.Load()
	if _, err := service.ReplaceCertificate(&schemas.CertificateServiceReplaceCertificateParameters{
		CertificateString: signed, CertificateType: schemas.PEMCertificateType, CertificateURI: httpsCertificates + "/1",
	}); err != nil {
		return nil, err
	}
	if o.answers.preconditionFailed.Load() != failed {
		return nil, errors.New("ReplaceCertificate was answered with 412 at first")
	}
	leaf, err := o.served()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(leaf.Raw, block.Bytes) {
		return nil, errors.New("another certificate is served")
	}
	return leaf, nil
}

func (o *operator) sign(csr string) (string, error) {
	command := exec.Command("openssl", "x509", "-req", "-copy_extensions", "copy", "-days", "20",
		"-CA", o.path("validators-ca.pem"), "-CAkey", o.path("validators-ca.key"))
	command.Stdin = strings.NewReader(csr)
	var complaint bytes.Buffer
	command.Stderr = &complaint
	signed, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("openssl: %w: %s", err, complaint.String())
	}
	return string(signed), nil
}

// The certificate that a new connection shows.
func (o *operator) served() (*x509.Certificate, error) {
	address, err := url.Parse(o.url)
	if err != nil {
		return nil, err
	}
	connection, err := tls.Dial("tcp", address.Host, insecure())
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	return connection.ConnectionState().PeerCertificates[0], nil
}
