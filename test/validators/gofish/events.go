package main

import (
	"errors"

	"github.com/stmcginnis/gofish/schemas"
)

func events(o *operator) error {
	service, err := o.api.Service.EventService()
	if err != nil {
		return err
	}
	uri, err := service.CreateEventSubscriptionInstance("https://192.0.2.1/events", []string{"ResourceEvent"}, nil,
		nil, schemas.RedfishEventDestinationProtocol, "gofish",
		schemas.RetryForeverDeliveryRetryPolicy, nil)
	if err != nil {
		return err
	}
	if _, err := service.GetEventSubscription(uri); err != nil {
		return err
	}
	failed := o.answers.preconditionFailed.Load()
	if _, err := service.SubmitTestEvent(&schemas.EventServiceSubmitTestEventParameters{
		EventID: "1", EventType: schemas.AlertEventType, Message: "a test",
		MessageID: "ResourceEvent.1.3.ResourceChanged", MessageSeverity: schemas.OKHealth,
		OriginOfCondition: httpsCertificates + "/1",
	}); err != nil {
		return err
	}
	if _, err := service.TestEventSubscription(); err != nil {
		return err
	}
	return o.noRetries(failed)
}

func suspendAndResume(o *operator) error {
	service, err := o.api.Service.EventService()
	if err != nil {
		return err
	}
	subscriptions, err := service.Subscriptions()
	if err != nil {
		return err
	}
	if len(subscriptions) != 1 {
		return errors.New("there is not one subscription")
	}
	subscription := subscriptions[0]
	failed := o.answers.preconditionFailed.Load()
	if _, err := subscription.SuspendSubscription(); err != nil {
		return err
	}
	if _, err := subscription.ResumeSubscription("PT1H"); err != nil {
		return err
	}
	if err := o.noRetries(failed); err != nil {
		return err
	}
	return service.DeleteEventSubscription(subscription.ODataID)
}

func (o *operator) noRetries(before int64) error {
	if o.answers.preconditionFailed.Load() != before {
		return errors.New("an action was answered with 412 at first")
	}
	return nil
}
