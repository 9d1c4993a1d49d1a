// The main job of an operator with gofish: every step prints one line, "ok STEP" or "failed STEP: reason".
//
//	gofish-client URL USER PASSWORD DIRECTORY
//
// DIRECTORY has validators-ca.pem and validators-ca.key, which sign the CSRs by openssl.
package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/stmcginnis/gofish"
	"github.com/stmcginnis/gofish/schemas"
)

// An operator with a session.
type operator struct {
	api       *gofish.APIClient
	url       string
	directory string
	answers   *answers
}

type step struct {
	name string
	do   func(*operator) error
}

var steps = []step{
	{"list the certificates", listCertificates},
	{"GenerateCSR, sign, ReplaceCertificate", generateAndReplace},
	{"Rekey, sign, ReplaceCertificate", rekey},
	{"Renew, sign, ReplaceCertificate", renew},
	{"be refused with a stale certificate", staleCertificate},
	{"create an account", createAccount},
	{"change the account and log in with it", changeAccount},
	{"give the account another name", renameAccount},
	{"delete the account", deleteAccount},
	{"subscribe to events and submit test events", events},
	{"suspend, resume and delete the subscription", suspendAndResume},
	{"read and change the manager", manager},
}

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: gofish-client URL USER PASSWORD DIRECTORY")
		os.Exit(2)
	}
	url, user, password, directory := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	counted := &answers{next: insecureTransport()}
	api, err := gofish.Connect(gofish.ClientConfig{
		Endpoint: url, Username: user, Password: password,
		HTTPClient: &http.Client{Transport: counted}, ReuseConnections: true,
	})
	report("log in with a session", err)
	if err != nil {
		os.Exit(1)
	}
	operator := &operator{api, url, directory, counted}
	for _, step := range steps {
		report(step.name, step.do(operator))
	}
	session, err := api.GetSession()
	if err == nil {
		err = api.Service.DeleteSession(session.ID)
	}
	report("log out", err)
}

func report(name string, err error) {
	if err == nil {
		fmt.Printf("ok %s\n", name)
	} else {
		fmt.Printf("failed %s: %s\n", name, err)
	}
}

func createAccount(o *operator) error {
	service, err := o.api.Service.AccountService()
	if err != nil {
		return err
	}
	account, err := service.CreateAccount("gofish", "first-password-1", "ReadOnly")
	if err != nil {
		return err
	}
	return expect("the role", account.RoleID, "ReadOnly")
}

func changeAccount(o *operator) error {
	account, err := accountOf(o, "gofish")
	if err != nil {
		return err
	}
	account.RoleID = "Operator"
	if err := account.Update(); err != nil {
		return err
	}
	other, err := gofish.Connect(gofish.ClientConfig{
		Endpoint: o.url, Username: "gofish", Password: "first-password-1",
		HTTPClient: &http.Client{Transport: insecureTransport()}, BasicAuth: true,
	})
	if err != nil {
		return err
	}
	own, err := schemas.GetManagerAccount(other, account.ODataID)
	if err != nil {
		return err
	}
	return expect("the role", own.RoleID, "Operator")
}

func renameAccount(o *operator) error {
	account, err := accountOf(o, "gofish")
	if err != nil {
		return err
	}
	account.UserName = "gopher"
	account.Enabled = false
	if err := account.Update(); err != nil {
		return err
	}
	renamed, err := accountOf(o, "gopher")
	if err != nil {
		return err
	}
	if renamed.Enabled {
		return errors.New("the account is enabled")
	}
	if _, err := accountOf(o, "gofish"); err == nil {
		return errors.New("there is an account of the old name")
	}
	return expect("the URI", renamed.ODataID, "/redfish/v1/AccountService/Accounts/gopher")
}

func deleteAccount(o *operator) error {
	account, err := accountOf(o, "gopher")
	if err != nil {
		return err
	}
	response, err := o.api.Delete(account.ODataID)
	if err != nil {
		return err
	}
	return schemas.CleanupHTTPResponse(response)
}

func accountOf(o *operator, name string) (*schemas.ManagerAccount, error) {
	service, err := o.api.Service.AccountService()
	if err != nil {
		return nil, err
	}
	accounts, err := service.Accounts()
	if err != nil {
		return nil, err
	}
	for _, account := range accounts {
		if account.UserName == name {
			return account, nil
		}
	}
	return nil, errors.New("there is no account " + name)
}

func manager(o *operator) error {
	managers, err := o.api.Service.Managers()
	if err != nil {
		return err
	}
	if len(managers) != 1 {
		return fmt.Errorf("there are %d managers", len(managers))
	}
	if managers[0].FirmwareVersion == "" || managers[0].LastResetTime == "" {
		return errors.New("FirmwareVersion or LastResetTime is missing")
	}
	managers[0].ServiceIdentification = "named by gofish"
	if err := managers[0].Update(); err != nil {
		return err
	}
	root, err := gofish.ServiceRoot(o.api)
	if err != nil {
		return err
	}
	return expect("ServiceIdentification", root.ServiceIdentification, "named by gofish")
}

func expect(what, found, wanted string) error {
	if found == wanted {
		return nil
	}
	return fmt.Errorf("%s is %q and not %q", what, found, wanted)
}

func (o *operator) path(name string) string {
	return filepath.Join(o.directory, name)
}
